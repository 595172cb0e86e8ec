import type { Action } from "./action.ts";

export const cancelRun: Action = {
  name: "Cancel what runs",
  icon: "stop",
  enabled: (app) => app.tabs.active !== undefined && app.runs.canCancel(app.tabs.active.id),
  run: (app) => {
    const tab = app.tabs.active;
    if (tab === undefined) return;
    void app.runs.cancel(tab.id).then((receipt) => {
      if (receipt !== "") app.toasts.say(receipt);
    });
  },
};
