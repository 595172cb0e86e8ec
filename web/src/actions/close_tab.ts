import { closeTab as closeWithCare } from "../state/close_tabs.ts";
import type { Action } from "./action.ts";

export const closeTab: Action = {
  name: "Close tab",
  icon: "close",
  // The browser keeps Ctrl+W for itself.
  shortcut: "Alt+W",
  macShortcut: "Ctrl+W",
  enabled: (app) => app.tabs.active !== undefined,
  run: (app) => {
    const tab = app.tabs.active;
    if (tab !== undefined) closeWithCare(app, tab.id);
  },
};
