import type { App } from "./app.ts";
import { leadsTo } from "./leads_to.ts";

type Parts = Pick<App, "connections" | "tabs">;

/** What is said of what would run elsewhere than where it was meant to. */
export const WAS_MOVED = "The tab was put on another connection meanwhile. Run it again to run it there.";
export const WAS_CHANGED = "The connection was changed meanwhile. Run it again to run it as it is now.";

/** Where something was asked to run. */
export interface PressedOn {
  readonly connectionId: string;
  readonly place: string;
}

/** Where what is asked of a tab now would run. Absent: its connection is not there. */
export function pressedOn({ connections, tabs }: Parts, tabId: string): PressedOn | undefined {
  const connectionId = tabs.store.getState().tabs.find(({ id }) => id === tabId)?.connectionId ?? "";
  const spec = connections.find(connectionId)?.spec;
  return spec === undefined ? undefined : { connectionId, place: leadsTo(spec) };
}

/** Why what was asked for is not run any more: it would run elsewhere than where it was meant to. */
export function whyNotThere(app: Parts, tabId: string, on: PressedOn): string | undefined {
  const tab = app.tabs.store.getState().tabs.find(({ id }) => id === tabId);
  if (tab === undefined) return "Its tab was closed meanwhile.";
  if (tab.connectionId !== on.connectionId) return WAS_MOVED;
  const now = pressedOn(app, tabId);
  if (now === undefined) return "The connection of this tab is gone. Choose another one in the toolbar.";
  return now.place === on.place ? undefined : WAS_CHANGED;
}
