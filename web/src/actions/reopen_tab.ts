import type { Action } from "./action.ts";

export const reopenTab: Action = {
  name: "Reopen closed tab",
  icon: "refresh",
  shortcut: "Alt+Shift+T",
  macShortcut: "Ctrl+Shift+T",
  enabled: (app) => app.tabs.store.getState().closed.length > 0,
  run: (app) => app.tabs.reopen(),
};
