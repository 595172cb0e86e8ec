import type { Action } from "./action.ts";

export const importConnections: Action = {
  name: "Import connections…",
  icon: "clip",
  run: (app) => app.overlay.setState({ kind: "import" }, true),
};
