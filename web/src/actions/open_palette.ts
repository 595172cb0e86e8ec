import type { Action } from "./action.ts";

export const openPalette: Action = {
  name: "Search or run a command",
  icon: "search",
  shortcut: "Mod+K",
  run: (app) => app.overlay.setState({ kind: "palette" }, true),
};
