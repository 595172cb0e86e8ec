import type { Action } from "./action.ts";
import { askPage } from "./page_event.ts";

export const formatScript: Action = {
  name: "Format SQL",
  icon: "format",
  shortcut: "Alt+Shift+F",
  macShortcut: "Ctrl+Shift+L",
  enabled: (app) => (app.tabs.active?.text.trim() ?? "") !== "",
  run: (app) => askPage(app, "format"),
};
