import { useState } from "react";
import { type Connection, SecretPlace } from "../../gen/core/v1/connection_pb.ts";
import { tabsInTransaction } from "../../state/close_tabs.ts";
import type { Problem } from "../../transport/problem.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { useApp } from "../AppContext.ts";

interface RemoveDialogProps {
  readonly connection: Connection;
  readonly onClose: () => void;
}

/** Asks whether a connection is really to be forgotten. */
export function RemoveDialog({ connection, onClose }: RemoveDialogProps) {
  const app = useApp();
  const [problem, setProblem] = useState<Problem>();
  const name = connection.spec?.name ?? "";
  const loses = tabsInTransaction(app, connection.id).length > 0;
  const keeps = connection.spec?.secretPlace === SecretPlace.VAULT || connection.spec?.secretPlace === SecretPlace.KEYRING;
  const remove = async () => {
    try {
      await app.leases.changed(connection.id, () => app.connections.remove(connection));
      app.tabs.forget(connection.id);
      app.schemas.forget(connection.id);
      onClose();
      app.toasts.say(`${name} is removed`);
    } catch (error) {
      setProblem(app.link.hear(error));
    }
  };
  return (
    <Dialog label={`Remove ${name}`} className="dialog small" onClose={onClose}>
      <div className="head">
        <h2>Remove {name}?</h2>
      </div>
      <div className="form">
        <p>
          Core forgets the connection{keeps ? ", and the password that it keeps for it" : ""}. The database itself stays as it
          is. Its tabs keep what is typed in them; their sessions end{loses ? ", and transactions that are open there are rolled back" : ""}.
        </p>
        {problem !== undefined && (
          <div className="why" role="alert">
            <p className="msg">{problem.message}</p>
            <p>{problem.advice}</p>
          </div>
        )}
      </div>
      <div className="foot">
        <span className="grow" />
        <Button label="Keep it" big onClick={onClose} />
        <Button label="Remove" look="line" big className="danger" onClick={() => void remove()} />
      </div>
    </Dialog>
  );
}
