import type { App } from "../state/app.ts";

/** What the page of the active tab can be asked for. */
export type PageRequest = "run" | "run-all" | "filter" | "search" | "column" | "export" | "go-to-row";

const PAGE_EVENT = "querybox-page";

/** Asks the page of the active tab: what it holds, such as the cursor's place, is known to it alone. */
export function askPage(request: PageRequest): void {
  dispatchEvent(new CustomEvent<PageRequest>(PAGE_EVENT, { detail: request }));
}

export function onPageRequest(listener: (request: PageRequest) => void): () => void {
  const hear = (event: Event) => {
    if (event instanceof CustomEvent) listener(event.detail as PageRequest);
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
