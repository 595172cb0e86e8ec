import type { Action } from "./action.ts";
import { stepRegions } from "./regions.ts";

export const previousRegion: Action = {
  name: "Previous part of the page",
  icon: "pane-r",
  shortcut: "Shift+F6",
  run: () => stepRegions(-1),
};
