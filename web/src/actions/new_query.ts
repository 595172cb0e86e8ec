import { valueOf } from "../state/load.ts";
import type { Action } from "./action.ts";

export const newQuery: Action = {
  name: "New query",
  icon: "prompt",
  shortcut: "Alt+T",
  macShortcut: "Ctrl+Q",
  enabled: (app) => app.runs.canRun.getState().value === true && (valueOf(app.connections.store.getState())?.length ?? 0) > 0,
  run: (app) => {
    const list = valueOf(app.connections.store.getState()) ?? [];
    const connectionId = app.tabs.active?.connectionId ?? list[0]?.id;
    if (connectionId !== undefined) app.tabs.open(connectionId);
  },
};
