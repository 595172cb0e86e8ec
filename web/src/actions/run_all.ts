import type { Action } from "./action.ts";
import { askPage } from "./page_event.ts";

export const runAll: Action = {
  name: "Run all",
  icon: "play-all",
  shortcut: "Mod+Shift+Enter",
  enabled: (app) => app.runs.canRun.getState().value === true && app.tabs.active !== undefined,
  run: (app) => askPage(app, "run-all"),
};
