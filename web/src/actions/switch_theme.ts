import type { Action } from "./action.ts";

export const switchTheme: Action = {
  name: "Switch between light and dark",
  icon: "moon",
  run: (app) => {
    const { theme } = app.layout.getState();
    const isDark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
    app.layout.setState({ theme: isDark ? "light" : "dark" });
  },
};
