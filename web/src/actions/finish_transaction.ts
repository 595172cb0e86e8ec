import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { App } from "../state/app.ts";

/** How the transaction of the active tab stands, when something can be done about it now. */
export function transactionOf(app: App): TransactionState | undefined {
  const tab = app.tabs.active;
  const session = tab === undefined ? undefined : app.sessions.of(tab.id);
  if (tab === undefined || session?.kind !== "open" || session.isBusy) return undefined;
  const { kind } = app.runs.of(tab.id);
  return kind === "starting" || kind === "running" ? undefined : session.transaction;
}

/** Ends the transaction of a tab, the active one unless another is named, and says what became of it. */
export async function finishTransaction(app: App, sql: "COMMIT" | "ROLLBACK", tabId = app.tabs.active?.id): Promise<void> {
  if (tabId === undefined) return;
  const problem = await app.sessions.finish(tabId, sql);
  if (problem !== undefined) app.toasts.fail(sql === "COMMIT" ? "Not committed" : "Not rolled back", problem.message);
  else app.toasts.say(sql === "COMMIT" ? "The transaction is committed" : "The transaction is rolled back");
}
