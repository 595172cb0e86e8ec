import { useState } from "react";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";

interface GoToRowDialogProps {
  readonly rowCount: number;
  readonly onGo: (row: number) => void;
  readonly onClose: () => void;
}

/** Asks for the number of a row. */
export function GoToRowDialog({ rowCount, onGo, onClose }: GoToRowDialogProps) {
  const [text, setText] = useState("");
  const row = Number(text.replaceAll(/[\s,._]/g, ""));
  const isGood = text.trim() !== "" && Number.isSafeInteger(row) && row >= 1 && row <= rowCount;
  return (
    <Dialog label="Go to row" className="dialog small" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isGood) return;
          onClose();
          // After the dialog has given the focus back.
          setTimeout(() => onGo(row - 1));
        }}
      >
        <div className="head">
          <h2>Go to row</h2>
        </div>
        <div className="form">
          <span className="field code">
            <input
              aria-label={`Row, from 1 to ${rowCount}`}
              inputMode="numeric"
              placeholder={`1 – ${rowCount.toLocaleString("en-US")}`}
              value={text}
              aria-invalid={text !== "" && !isGood}
              onChange={(event) => setText(event.target.value)}
            />
          </span>
        </div>
        <div className="foot">
          <span className="grow" />
          <Button label="Cancel" big onClick={onClose} />
          <Button label="Go" look="primary" big type="submit" disabled={!isGood} />
        </div>
      </form>
    </Dialog>
  );
}
