import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";

interface ConfirmRunDialogProps {
  /** What would happen. */
  readonly what: string;
  readonly sql: string;
  readonly connectionName: string;
  readonly onRun: () => void;
  readonly onClose: () => void;
}

const SHOWN_MAX = 600;

/** Asks before something runs that takes much away. */
export function ConfirmRunDialog({ what, sql, connectionName, onRun, onClose }: ConfirmRunDialogProps) {
  return (
    <Dialog label={`Run on ${connectionName}?`} className="dialog small" onClose={onClose}>
      <div className="head">
        <h2>Run on {connectionName}?</h2>
      </div>
      <div className="form">
        <p>
          <b className="danger">{what}</b>
        </p>
        <pre className="confirm code">{sql.length > SHOWN_MAX ? `${sql.slice(0, SHOWN_MAX)}…` : sql}</pre>
      </div>
      <div className="foot">
        <span className="grow" />
        <Button label="Do not run" look="line" big onClick={onClose} />
        <Button
          label="Run it"
          big
          className="danger"
          onClick={() => {
            onClose();
            onRun();
          }}
        />
      </div>
    </Dialog>
  );
}
