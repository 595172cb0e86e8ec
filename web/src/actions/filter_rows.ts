import type { Action } from "./action.ts";
import { askPage, hasRows } from "./page_event.ts";

export const filterRows: Action = {
  name: "Filter rows",
  icon: "filter",
  shortcut: "Mod+Shift+F",
  enabled: hasRows,
  run: (app) => askPage(app, "filter"),
};
