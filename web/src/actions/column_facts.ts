import type { Action } from "./action.ts";
import { askPage, hasRows } from "./page_event.ts";

export const columnFacts: Action = {
  name: "Column statistics",
  icon: "bars",
  enabled: hasRows,
  run: (app) => askPage(app, "column"),
};
