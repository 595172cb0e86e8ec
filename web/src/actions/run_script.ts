import type { Action } from "./action.ts";

/** The event by which the page of the active tab is asked to run what it holds. */
export const RUN_EVENT = "querybox-run";

export const runScript: Action = {
  name: "Run",
  icon: "play",
  shortcut: "Mod+Enter",
  enabled: (app) => app.runs.canRun.getState().value === true && app.tabs.active !== undefined,
  run: () => dispatchEvent(new CustomEvent(RUN_EVENT)),
};
