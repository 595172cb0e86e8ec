import type { Action } from "./action.ts";

export const crossTab: Action = {
  name: "Move tab to the other panel",
  icon: "pane-r",
  shortcut: "Mod+\\",
  enabled: (app) => app.tabs.store.getState().tabs.length > 1 && !app.tabs.drawn.getState().one,
  run: (app) => {
    const tab = app.tabs.active;
    if (tab !== undefined) app.tabs.cross(tab.id);
  },
};
