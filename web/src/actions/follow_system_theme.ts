import type { Action } from "./action.ts";

export const followSystemTheme: Action = {
  name: "Light or dark as the system is",
  icon: "moon",
  enabled: (app) => app.layout.getState().theme !== "system",
  run: (app) => app.layout.setState({ theme: "system" }),
};
