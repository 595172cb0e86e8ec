import type { Action } from "./action.ts";
import { askPage, hasRows } from "./page_event.ts";

export const searchRows: Action = {
  name: "Search rows",
  icon: "search",
  shortcut: "Alt+F",
  macShortcut: "Ctrl+S",
  enabled: hasRows,
  run: (app) => askPage(app, "search"),
};
