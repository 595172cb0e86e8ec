import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { App } from "./app.ts";
import type { Tab } from "./tabs.ts";

type Parts = Pick<App, "tabs" | "sessions" | "runs" | "overlay">;

/** Whether a transaction would, or may, go with a tab: when it is closed its session ends, or a shared one is rolled back. */
export function holdsTransaction(app: Pick<App, "sessions" | "runs">, tabId: string): boolean {
  const session = app.sessions.of(tabId);
  // What runs in a session that others share is cancelled; a transaction there is the tab's.
  return session.kind === "open" && (session.isShared ? session.transaction !== TransactionState.IDLE : isInTransaction(app, tabId));
}

/** The tabs whose transactions would, or may, go with the sessions on a connection. */
export function tabsInTransaction(app: Pick<App, "sessions" | "runs" | "tabs">, connectionId: string): readonly Tab[] {
  return app.tabs.store.getState().tabs.filter((tab) => tab.connectionId === connectionId && isInTransaction(app, tab.id));
}

function isInTransaction({ sessions, runs }: Pick<App, "sessions" | "runs">, tabId: string): boolean {
  const session = sessions.of(tabId);
  const { kind } = runs.of(tabId);
  // What runs may have begun one.
  return session.kind === "open" && (session.transaction !== TransactionState.IDLE || kind === "running" || kind === "starting");
}

/** Closes a tab, and asks first when a transaction goes with it. */
export function closeTab(app: Parts, tabId: string): void {
  closeAll(app, [tabId]);
}

/** Puts a tab on another connection. Answers whether it is there: a transaction is not left behind unasked. */
export function moveTab(app: Pick<App, "tabs" | "sessions" | "runs">, tab: Tab, connectionId: string): boolean {
  if (tab.connectionId === connectionId) return true;
  if (isInTransaction(app, tab.id)) return false;
  app.tabs.change(tab.id, { connectionId });
  return true;
}

/** Closes all tabs but one of the panel that it stands in. */
export function closeOtherTabs(app: Parts, tab: Tab): void {
  app.tabs.activate(tab.id);
  closeAll(app, app.tabs.beside(tab.id).map(({ id }) => id));
}

function closeAll(app: Parts, tabIds: readonly string[]): void {
  const holding = tabIds.filter((id) => holdsTransaction(app, id));
  // What loses nothing goes at once.
  for (const id of tabIds) if (!holding.includes(id)) app.tabs.close(id);
  if (holding.length > 0) app.overlay.setState({ kind: "close-tabs", tabIds: holding }, true);
}
