import { finishTransaction } from "../../actions/finish_transaction.ts";
import { TransactionState } from "../../gen/plugin/v1/plugin_pb.ts";
import type { Tab } from "../../state/tabs.ts";
import { Button } from "../../ui/Button.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { Choice } from "./Choice.tsx";

const WORDS: Readonly<Record<TransactionState, string>> = {
  [TransactionState.UNSPECIFIED]: "Leased",
  [TransactionState.IDLE]: "Leased",
  [TransactionState.OPEN]: "In transaction",
  [TransactionState.FAILED]: "Failed transaction",
};

interface SessionChoiceProps {
  readonly tab: Tab;
  /** A statement runs in it. */
  readonly isRunning: boolean;
}

/** Whether a tab keeps a session, how its transaction stands, and how it is ended. */
export function SessionChoice({ tab, isRunning }: SessionChoiceProps) {
  const app = useApp();
  const session = usePart(app.sessions.store, (sessions) => sessions.get(tab.id)) ?? { kind: "none" as const };
  const isOpen = session.kind === "open";
  const transaction = isOpen ? session.transaction : TransactionState.IDLE;
  const inTransaction = transaction === TransactionState.OPEN || transaction === TransactionState.FAILED;
  const text = session.kind === "opening" ? "Opening" : isOpen ? WORDS[transaction] : session.kind === "lost" ? "No session" : "One-shot";
  const lease = async () => {
    const problem = await app.sessions.open(tab);
    if (problem !== undefined) app.toasts.fail("No session", problem.message);
  };
  const release = async () => {
    if (await app.sessions.close(tab.id)) app.toasts.say("The session is closed, and its transaction was rolled back");
  };
  return (
    <>
      <Choice
        label="Session"
        icon={session.kind === "lost" ? "unplug" : isOpen ? "hold" : "bolt"}
        className={inTransaction || session.kind === "lost" ? "fold warnish" : "fold"}
        text={text}
        items={[
          // A connection that asks for its password has it in its one session alone.
          ...(isOpen && session.isShared
            ? []
            : [{ label: "One-shot: each run has a session of its own", checked: !isOpen, onChoose: () => void release() }]),
          { label: "Leased: runs share one session", checked: isOpen, onChoose: () => void lease() },
        ]}
      />
      {isOpen && inTransaction && (
        <>
          {transaction === TransactionState.OPEN && (
            <Button label="Commit" icon="check" disabled={isRunning || session.isBusy} onClick={() => void finishTransaction(app, "COMMIT", tab.id)} />
          )}
          <Button label="Roll back" icon="back" disabled={isRunning || session.isBusy} onClick={() => void finishTransaction(app, "ROLLBACK", tab.id)} />
        </>
      )}
    </>
  );
}
