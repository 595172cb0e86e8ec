import type { App } from "../state/app.ts";

/** What the page of the active tab can be asked for. */
export type PageRequest = "run" | "run-all" | "filter" | "search" | "column" | "export" | "go-to-row" | "go-to-fault" | "format";

const PAGE_EVENT = "querybox-page";

interface Asked {
  readonly tabId: string;
  readonly request: PageRequest;
}

/** Asks the page of the active tab: what it holds, such as the cursor's place, is known to it alone. */
export function askPage(app: App, request: PageRequest): void {
  const tab = app.tabs.active;
  if (tab !== undefined) dispatchEvent(new CustomEvent<Asked>(PAGE_EVENT, { detail: { tabId: tab.id, request } }));
}

/** Calls when the page of a tab is asked. */
export function onPageRequest(tabId: string, listener: (request: PageRequest) => void): () => void {
  const hear = (event: Event) => {
    if (!(event instanceof CustomEvent)) return;
    const asked = event.detail as Asked;
    if (asked.tabId === tabId) listener(asked.request);
  };
  addEventListener(PAGE_EVENT, hear);
  return () => removeEventListener(PAGE_EVENT, hear);
}

/** Whether the active tab has rows to do something with. */
export function hasRows(app: App): boolean {
  const tab = app.tabs.active;
  if (tab === undefined) return false;
  const run = app.runs.of(tab.id);
  return "result" in run && run.result.statements.some((statement) => statement.returnsRows);
}
