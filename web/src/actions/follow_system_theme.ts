import type { Action } from "./action.ts";

export const followSystemTheme: Action = {
  name: "Follow the theme of the system",
  icon: "moon",
  enabled: (app) => app.layout.getState().theme !== "system",
  run: (app) => app.layout.setState({ theme: "system" }),
};
