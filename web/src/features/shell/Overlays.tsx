import { useApp, usePart } from "../AppContext.ts";
import { ConnectionDialog } from "../connections/ConnectionDialog.tsx";
import { ImportDialog } from "../connections/ImportDialog.tsx";
import { PasswordDialog } from "../connections/PasswordDialog.tsx";
import { RemoveDialog } from "../connections/RemoveDialog.tsx";
import { CloseTabsDialog } from "./CloseTabsDialog.tsx";
import { Palette } from "./Palette.tsx";
import { SettingsDialog } from "./SettingsDialog.tsx";

/** What lies over the page. */
export function Overlays() {
  const app = useApp();
  const overlay = usePart(app.overlay, (state) => state);
  const question = usePart(app.leases.question, (state) => state.open);
  const close = () => app.overlay.setState({ kind: "none" }, true);
  if (question !== undefined) return <PasswordDialog key={`${question.connectionId} ${question.own?.tabId ?? ""}`} question={question} />;
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
    case "import":
      return <ImportDialog onClose={close} />;
    case "edit-connection": {
      const connection = app.connections.find(overlay.connectionId);
      return connection === undefined ? null : <ConnectionDialog connection={connection} onClose={close} />;
    }
    case "remove-connection": {
      const connection = app.connections.find(overlay.connectionId);
      return connection === undefined ? null : <RemoveDialog connection={connection} onClose={close} />;
    }
  }
}
