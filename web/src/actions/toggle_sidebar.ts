import type { Action } from "./action.ts";

export const toggleSidebar: Action = {
  name: "Show or hide the sidebar",
  icon: "pane-l",
  shortcut: "Mod+B",
  run: (app) => app.layout.setState({ sidebarOpen: !app.layout.getState().sidebarOpen }),
};
