import type { Action } from "./action.ts";
import { askPage } from "./page_event.ts";

export const runScript: Action = {
  name: "Run statement or selection",
  icon: "play",
  shortcut: "Mod+Enter",
  enabled: (app) => app.runs.canRun.getState().value === true && app.tabs.active !== undefined,
  run: (app) => askPage(app, "run"),
};
