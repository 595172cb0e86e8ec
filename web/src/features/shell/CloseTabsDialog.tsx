import { finishTransaction, transactionOf } from "../../actions/finish_transaction.ts";
import { TransactionState } from "../../gen/plugin/v1/plugin_pb.ts";
import { holdsTransaction } from "../../state/close_tabs.ts";
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
  const canCommit = usePart(app.sessions.store, () => tabIds.every((id) => transactionOf(app, id) === TransactionState.OPEN));
  const commit = async () => {
    onClose();
    for (const id of tabIds) {
      // What was not committed stays in sight.
      if ((await finishTransaction(app, "COMMIT", id)) && !holdsTransaction(app, id)) app.tabs.close(id);
    }
  };
  return (
    <Dialog label={`Close ${what}`} className="dialog small choices" onClose={onClose}>
      <div className="head">
        <h2>Close {what}?</h2>
      </div>
      <div className="form">
        <p>
          {titles.length === 1 ? "A transaction that is open there is" : `Transactions that are open in ${titles.join(", ")} are`} rolled back: what
          was changed is lost.
        </p>
      </div>
      <div className="foot">
        <span className="grow" />
        <Button label="Keep open" big onClick={onClose} />
        {canCommit && <Button label="Commit and close" look="line" big onClick={() => void commit()} />}
        <Button
          label="Roll back and close"
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
