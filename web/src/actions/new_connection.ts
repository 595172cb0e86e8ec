import type { Action } from "./action.ts";

export const newConnection: Action = {
  name: "New connection",
  icon: "plus",
  shortcut: "Alt+N",
  macShortcut: "Ctrl+Shift+C",
  run: (app) => app.overlay.setState({ kind: "new-connection" }, true),
};
