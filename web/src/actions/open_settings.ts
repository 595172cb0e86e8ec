import type { Action } from "./action.ts";

export const openSettings: Action = {
  name: "Settings",
  icon: "sliders",
  shortcut: "Mod+,",
  run: (app) => app.overlay.setState({ kind: "settings" }, true),
};
