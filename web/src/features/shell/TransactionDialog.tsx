import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";

interface TransactionDialogProps {
  /** What is to be done, such as "Close Query 1". */
  readonly label: string;
  readonly text: string;
  readonly keep: string;
  readonly commit: string;
  readonly rollBack: string;
  readonly onClose: () => void;
  /** Absent: there is nothing that could be committed now. */
  readonly onCommit: (() => void) | undefined;
  readonly onRollBack: () => void;
}

/** Asks whether something is to be done though transactions go with it. */
export function TransactionDialog({ label, text, keep, commit, rollBack, onClose, onCommit, onRollBack }: TransactionDialogProps) {
  return (
    <Dialog label={label} className="dialog small choices" onClose={onClose}>
      <div className="head">
        <h2>{label}?</h2>
      </div>
      <div className="form">
        <p>{text}</p>
      </div>
      <div className="foot">
        <span className="grow" />
        <Button label={keep} big onClick={onClose} />
        {onCommit !== undefined && <Button label={commit} look="line" big onClick={onCommit} />}
        <Button label={rollBack} look="line" big className="danger" onClick={onRollBack} />
      </div>
    </Dialog>
  );
}
