import type { Density } from "../state/layout.ts";
import type { Action } from "./action.ts";

const NEXT: Readonly<Record<Density, Density>> = { compact: "normal", normal: "roomy", roomy: "compact" };

export const changeDensity: Action = {
  name: "Change the density of rows",
  icon: "sliders",
  run: (app) => {
    const density = NEXT[app.layout.getState().density];
    app.layout.setState({ density });
    app.toasts.say(`Rows are ${density}`);
  },
};
