import type { Action } from "./action.ts";
import { askPage } from "./page_event.ts";
import { rejectionOf } from "../state/endings.ts";

export const goToFault: Action = {
  name: "Go to the error",
  icon: "return",
  shortcut: "F8",
  enabled: (app) => {
    const tab = app.tabs.active;
    const run = tab === undefined ? undefined : app.runs.of(tab.id);
    return run !== undefined && "result" in run && run.result.statements.some((statement) => rejectionOf(run.result, statement)?.positionByte !== undefined);
  },
  run: (app) => askPage(app, "go-to-fault"),
};
