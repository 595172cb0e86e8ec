import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { useApp, usePart } from "../AppContext.ts";

interface CloseTabsDialogProps {
  readonly tabIds: readonly string[];
  readonly onClose: () => void;
}

/** Asks whether tabs are to be closed though their transactions go with them. */
export function CloseTabsDialog({ tabIds, onClose }: CloseTabsDialogProps) {
  const app = useApp();
  const tabs = usePart(app.tabs.store, (state) => state.tabs);
  const titles = tabs.filter(({ id }) => tabIds.includes(id)).map(({ title }) => title);
  const what = titles.length === 1 ? titles.join("") : `${titles.length} tabs`;
  return (
    <Dialog label={`Close ${what}`} className="dialog small" onClose={onClose}>
      <div className="head">
        <h2>Close {what}?</h2>
      </div>
      <div className="form">
        <p>
          {titles.length === 1 ? "Its session ends" : `The sessions of ${titles.join(", ")} end`} with it, and a transaction that is open there is
          rolled back: what it changed is lost. Commit first to keep it.
        </p>
      </div>
      <div className="foot">
        <span className="grow" />
        <Button label="Keep open" big onClick={onClose} />
        <Button
          label="Close and roll back"
          look="line"
          big
          className="danger"
          onClick={() => {
            onClose();
            for (const id of tabIds) app.tabs.close(id);
          }}
        />
      </div>
    </Dialog>
  );
}
