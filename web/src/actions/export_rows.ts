import type { Action } from "./action.ts";
import { askPage, hasRows } from "./page_event.ts";

export const exportRows: Action = {
  name: "Export rows…",
  icon: "export",
  shortcut: "Mod+Shift+E",
  enabled: hasRows,
  run: (app) => askPage(app, "export"),
};
