import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";

interface DiscardDialogProps {
  readonly onClose: () => void;
  readonly onDiscard: () => void;
}

/** Asks whether what was typed of a connection is to be lost. */
export function DiscardDialog({ onClose, onDiscard }: DiscardDialogProps) {
  return (
    <Dialog label="Discard changes" className="dialog small" onClose={onClose}>
      <div className="head">
        <h2>Discard changes?</h2>
      </div>
      <div className="form">
        <p>What you typed here is not saved, and is lost when this window closes.</p>
      </div>
      <div className="foot">
        <span className="grow" />
        <Button label="Keep editing" big onClick={onClose} />
        <Button label="Discard" look="line" big className="danger" onClick={onDiscard} />
      </div>
    </Dialog>
  );
}
