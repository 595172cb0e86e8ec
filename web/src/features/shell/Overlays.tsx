import { type ReactNode, useEffect, useState } from "react";
import type { Connection } from "../../gen/core/v1/connection_pb.ts";
import { useApp, usePart } from "../AppContext.ts";
import { ConnectionDialog } from "../connections/ConnectionDialog.tsx";
import { ImportDialog } from "../connections/ImportDialog.tsx";
import { PasswordDialog } from "../connections/PasswordDialog.tsx";
import { RemoveDialog } from "../connections/RemoveDialog.tsx";
import { CloseTabsDialog } from "./CloseTabsDialog.tsx";
import { GiveUpSessionDialog } from "./GiveUpSessionDialog.tsx";
import { Palette } from "./Palette.tsx";
import { SettingsDialog } from "./SettingsDialog.tsx";

/** What lies over the page: one window, which keeps what is typed in it under a question for a password. */
export function Overlays() {
  const app = useApp();
  const question = usePart(app.leases.question, (state) => state.open);
  return (
    <>
      <OneOverlay />
      {question !== undefined && <PasswordDialog key={`${question.connectionId} ${question.own?.tabId ?? ""}`} question={question} />}
    </>
  );
}

function OneOverlay() {
  const app = useApp();
  const overlay = usePart(app.overlay, (state) => state);
  const close = () => app.overlay.setState({ kind: "none" }, true);
  switch (overlay.kind) {
    case "none":
      return null;
    case "palette":
      return <Palette onClose={close} />;
    case "settings":
      return <SettingsDialog onClose={close} />;
    case "new-connection":
      return <ConnectionDialog onClose={close} />;
    case "close-tabs":
      return <CloseTabsDialog tabIds={overlay.tabIds} onClose={close} />;
    case "give-up-session":
      return <GiveUpSessionDialog tabId={overlay.tabId} onClose={close} />;
    case "import":
      return <ImportDialog onClose={close} />;
    case "edit-connection":
      return <WithConnection key={overlay.connectionId} id={overlay.connectionId} show={(connection) => <ConnectionDialog connection={connection} onClose={close} />} />;
    case "remove-connection":
      return <WithConnection key={overlay.connectionId} id={overlay.connectionId} show={(connection) => <RemoveDialog connection={connection} onClose={close} />} />;
  }
}

/** A window for a connection as it was when the window was opened: one that is removed elsewhere takes nothing with it that is typed there. */
function WithConnection({ id, show }: { readonly id: string; readonly show: (connection: Connection) => ReactNode }) {
  const app = useApp();
  const [connection] = useState(() => app.connections.find(id));
  useEffect(() => {
    if (connection !== undefined) return;
    app.overlay.setState({ kind: "none" }, true);
    app.toasts.fail("This connection is not there", "It was removed elsewhere, or the list of connections could not be read.");
  }, [app, connection]);
  return connection === undefined ? null : show(connection);
}
