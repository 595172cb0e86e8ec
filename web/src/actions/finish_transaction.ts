import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { App } from "../state/app.ts";

/** How the transaction of a tab, the active one unless another is named, stands when something can be done about it now. */
export function transactionOf(app: App, tabId = app.tabs.active?.id): TransactionState | undefined {
  const session = tabId === undefined ? undefined : app.sessions.of(tabId);
  if (tabId === undefined || session?.kind !== "open" || session.isBusy) return undefined;
  const { kind } = app.runs.of(tabId);
  return kind === "starting" || kind === "running" ? undefined : session.transaction;
}

/** Ends the transaction of a tab, the active one unless another is named, and says what became of it. Answers whether it is as asked. */
export async function finishTransaction(app: Pick<App, "tabs" | "sessions" | "toasts">, sql: "COMMIT" | "ROLLBACK", tabId = app.tabs.active?.id): Promise<boolean> {
  if (tabId === undefined) return false;
  const isCommit = sql === "COMMIT";
  const not = isCommit ? "Not committed" : "Not rolled back";
  const finish = await app.sessions.finish(tabId, sql);
  switch (finish.kind) {
    case "done":
      app.toasts.say(isCommit ? "The transaction is committed" : "The transaction is rolled back");
      return true;
    case "rolled-back":
      app.toasts.fail("Rolled back instead of committed", finish.problem?.message ?? "The transaction had failed: nothing of it was kept.");
      return false;
    case "refused":
      app.toasts.fail(not, finish.problem.message);
      return false;
    case "nothing":
      app.toasts.fail(not, "There is no transaction in this tab any more.");
      return false;
    case "unknown":
      app.toasts.fail(
        isCommit ? "Nobody knows whether it was committed" : "Nobody knows whether it was rolled back",
        finish.isOver ? "The answer was lost. The transaction is over: look at the data." : "The answer was lost. The tab shows how its transaction stands when Core is there again.",
      );
      return false;
    case "busy":
      return false;
  }
}
