import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { App } from "../state/app.ts";

/** How the transaction of a tab, the active one unless another is named, stands when something can be done about it now. */
export function transactionOf(app: App, tabId = app.tabs.active?.id): TransactionState | undefined {
  const session = tabId === undefined ? undefined : app.sessions.of(tabId);
  if (tabId === undefined || session?.kind !== "open" || session.isBusy) return undefined;
  const { kind } = app.runs.of(tabId);
  return kind === "starting" || kind === "running" ? undefined : session.transaction;
}

/** Ends the transaction of a tab, the active one unless another is named, and says what became of it. */
export async function finishTransaction(app: App, sql: "COMMIT" | "ROLLBACK", tabId = app.tabs.active?.id): Promise<void> {
  if (tabId === undefined) return;
  const problem = await app.sessions.finish(tabId, sql);
  if (problem !== undefined) app.toasts.fail(sql === "COMMIT" ? "Not committed" : "Not rolled back", problem.message);
  else app.toasts.say(sql === "COMMIT" ? "The transaction is committed" : "The transaction is rolled back");
}
