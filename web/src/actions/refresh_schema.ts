import type { Action } from "./action.ts";

export const refreshSchema: Action = {
  name: "Refresh tables",
  icon: "refresh",
  enabled: (app) => app.tabs.active !== undefined,
  run: (app) => {
    const tab = app.tabs.active;
    if (tab !== undefined) void app.schemas.refresh(tab.connectionId);
  },
};
