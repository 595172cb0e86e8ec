import { finishTransaction } from "../../actions/finish_transaction.ts";
import { SecretPlace } from "../../gen/core/v1/connection_pb.ts";
import { TransactionState } from "../../gen/plugin/v1/plugin_pb.ts";
import { giveUpSession } from "../../state/give_up_session.ts";
import { valueOf } from "../../state/load.ts";
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
  const connections = usePart(app.connections.store, valueOf);
  const asks = connections?.find(({ id }) => id === tab.connectionId)?.spec?.secretPlace === SecretPlace.ASK;
  const isOpen = session.kind === "open";
  const hasOwn = isOpen && !session.isShared;
  const transaction = isOpen ? session.transaction : TransactionState.IDLE;
  const inTransaction = transaction === TransactionState.OPEN || transaction === TransactionState.FAILED;
  const text = session.kind === "opening" ? "Opening" : isOpen ? WORDS[transaction] : session.kind === "lost" ? "No session" : asks ? "Leased" : "One-shot";
  const lease = async () => {
    const problem = await app.sessions.open(tab);
    if (problem !== undefined) app.toasts.fail("No session", problem.message);
  };
  const takeOwn = () => {
    if (hasOwn) return;
    if (inTransaction || isRunning) app.toasts.fail("The tab keeps the shared session", inTransaction ? "Commit its transaction or roll it back first." : "Wait for the end of what runs, or cancel it first.");
    else void app.sessions.own(tab);
  };
  const release = () => void giveUpSession(app, tab.id);
  return (
    <>
      <Choice
        label="Session"
        icon={session.kind === "lost" ? "unplug" : isOpen || asks ? "hold" : "bolt"}
        className={inTransaction || session.kind === "lost" ? "fold warnish" : "fold"}
        text={text}
        {...(asks ? { hint: "Leased: the password is not kept, so one session is held" } : {})}
        items={
          asks
            ? [
                { label: "Share the connection's session", checked: !hasOwn, onChoose: release },
                { label: "A session of its own…", checked: hasOwn, onChoose: takeOwn },
              ]
            : [
                { label: "One-shot: each run has a session of its own", checked: session.kind === "none", onChoose: release },
                { label: "Leased: runs share one session", checked: isOpen, onChoose: () => void lease() },
              ]
        }
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
