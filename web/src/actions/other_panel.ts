import type { Action } from "./action.ts";

export const otherPanel: Action = {
  name: "Go to the other panel",
  icon: "pane-r",
  shortcut: "Alt+\\",
  macShortcut: "Ctrl+\\",
  enabled: (app) => app.tabs.store.getState().otherId !== undefined,
  run: (app) => {
    app.tabs.other();
    // The panel is the one that is worked in once it is drawn so.
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".panel.here .sql-editor")?.shadowRoot?.querySelector<HTMLElement>(".cm-content")?.focus());
  },
};
