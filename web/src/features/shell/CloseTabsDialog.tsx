import { finishTransaction, transactionOf } from "../../actions/finish_transaction.ts";
import { TransactionState } from "../../gen/plugin/v1/plugin_pb.ts";
import { holdsTransaction } from "../../state/close_tabs.ts";
import { useApp, usePart } from "../AppContext.ts";
import { TransactionDialog } from "./TransactionDialog.tsx";

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
    <TransactionDialog
      label={`Close ${what}`}
      text={`${titles.length === 1 ? "A transaction that is open there is" : `Transactions that are open in ${titles.join(", ")} are`} rolled back: what was changed is lost.`}
      keep="Keep open"
      commit="Commit and close"
      rollBack="Roll back and close"
      onClose={onClose}
      onCommit={canCommit ? () => void commit() : undefined}
      onRollBack={() => {
        onClose();
        for (const id of tabIds) app.tabs.close(id);
      }}
    />
  );
}
