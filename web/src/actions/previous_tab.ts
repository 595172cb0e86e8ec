import type { Action } from "./action.ts";

export const previousTab: Action = {
  name: "Previous tab",
  icon: "right",
  shortcut: "Alt+[",
  macShortcut: "Ctrl+[",
  enabled: (app) => app.tabs.store.getState().tabs.length > 1,
  run: (app) => app.tabs.step(-1),
};
