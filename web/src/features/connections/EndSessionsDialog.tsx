import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";

interface EndSessionsDialogProps {
  /** Of the tabs that are in a transaction. */
  readonly titles: readonly string[];
  readonly onClose: () => void;
  readonly onSave: () => void;
}

/** Asks whether a connection is to be saved though transactions end with that. */
export function EndSessionsDialog({ titles, onClose, onSave }: EndSessionsDialogProps) {
  const isOne = titles.length === 1;
  return (
    <Dialog label="Save and roll back" className="dialog small" onClose={onClose}>
      <div className="head">
        <h2>Save and roll back?</h2>
      </div>
      <div className="form">
        <p>
          The connection leads elsewhere then, so that sessions on it end. A transaction is, or may be, open in {listed(titles)}: what {isOne ? "it" : "they"}{" "}
          changed is rolled back and lost. Commit there first to keep it.
        </p>
      </div>
      <div className="foot">
        <span className="grow" />
        <Button label="Do not save" big onClick={onClose} />
        <Button label="Save and roll back" look="line" big className="danger" onClick={onSave} />
      </div>
    </Dialog>
  );
}

function listed(titles: readonly string[]): string {
  return titles.length < 2 ? titles.join("") : `${titles.slice(0, -1).join(", ")} and ${titles.at(-1) ?? ""}`;
}
