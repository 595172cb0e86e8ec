import type { Action } from "./action.ts";
import { askPage, hasRows } from "./page_event.ts";

export const goToRow: Action = {
  name: "Go to row…",
  icon: "target",
  shortcut: "Mod+G",
  enabled: hasRows,
  run: (app) => askPage(app, "go-to-row"),
};
