import type { Action } from "./action.ts";

/** The id of the field that looks for connections and tables. */
export const TREE_SEARCH_ID = "tree-search";

export const findInTree: Action = {
  name: "Find a table",
  icon: "search",
  shortcut: "Mod+P",
  run: (app) => {
    const focus = () => document.getElementById(TREE_SEARCH_ID)?.focus();
    // Who types at once types into the field.
    if (app.layout.getState().sidebarOpen) return focus();
    app.layout.setState({ sidebarOpen: true });
    // The field is there once the sidebar is.
    requestAnimationFrame(focus);
  },
};
