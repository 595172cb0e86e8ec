import { finishTransaction, transactionOf } from "../../actions/finish_transaction.ts";
import { TransactionState } from "../../gen/plugin/v1/plugin_pb.ts";
import { holdsTransaction } from "../../state/close_tabs.ts";
import { endSession } from "../../state/give_up_session.ts";
import { hasKnown } from "../../state/tab_session.ts";
import { useApp, usePart } from "../AppContext.ts";
import { TransactionDialog } from "./TransactionDialog.tsx";

interface GiveUpSessionDialogProps {
  readonly tabId: string;
  readonly onClose: () => void;
}

/** Asks whether a tab's session is to be ended though its transaction, or what runs there, goes with it. */
export function GiveUpSessionDialog({ tabId, onClose }: GiveUpSessionDialogProps) {
  const app = useApp();
  const title = usePart(app.tabs.store, (state) => state.tabs.find(({ id }) => id === tabId)?.title ?? "a tab");
  const kind = usePart(app.runs.store, (runs) => runs.get(tabId)?.kind);
  const canCommit = usePart(app.sessions.store, () => transactionOf(app, tabId) === TransactionState.OPEN);
  const hasOne = usePart(app.sessions.store, (sessions) => hasKnown(sessions.get(tabId)));
  const isRunning = kind === "starting" || kind === "running";
  const commit = async () => {
    onClose();
    // What was not committed stays in sight.
    if ((await finishTransaction(app, "COMMIT", tabId)) && !holdsTransaction(app, tabId)) await endSession(app, tabId);
  };
  return (
    <TransactionDialog
      label={`End the session of ${title}`}
      text={`${isRunning ? "What runs there is stopped. " : ""}A transaction that ${hasOne ? "is" : "may be"} open there is rolled back: what was changed is lost.`}
      keep="Keep the session"
      commit="Commit and end"
      rollBack="Roll back and end"
      onClose={onClose}
      onCommit={canCommit && !isRunning ? () => void commit() : undefined}
      onRollBack={() => {
        onClose();
        void endSession(app, tabId);
      }}
    />
  );
}
