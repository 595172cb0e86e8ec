import type { Action } from "./action.ts";
import { stepRegions } from "./regions.ts";

export const nextRegion: Action = {
  name: "Next part of the page",
  icon: "pane-r",
  shortcut: "F6",
  run: () => stepRegions(1),
};
