import { type CSSProperties, useEffect } from "react";
import { actionFor } from "../../actions/keys.ts";
import { MAC, useApp, usePart } from "../AppContext.ts";
import { LinkNotice } from "./LinkNotice.tsx";
import { Overlays } from "./Overlays.tsx";
import { Panels } from "./Panels.tsx";
import { Sidebar } from "./Sidebar.tsx";
import { StatusBar } from "./StatusBar.tsx";
import { ToastList } from "./ToastList.tsx";

/** The whole page of somebody who is in. */
export function Workbench() {
  const app = useApp();
  const sidebarOpen = usePart(app.layout, (layout) => layout.sidebarOpen);
  const sidebarWidth = usePart(app.layout, (layout) => layout.sidebarWidth);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      // Dialogs have keys of their own, and nothing behind them is to happen.
      if (app.overlay.getState().kind !== "none" || app.leases.question.getState().open !== undefined) return;
      const action = actionFor(app, event, MAC);
      if (action === undefined) return;
      event.preventDefault();
      action.run(app);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [app]);

  useEffect(() => {
    // What would cover a narrow page is closed when the page becomes one.
    const narrow = matchMedia("(max-width: 860px)");
    const onNarrow = () => {
      if (narrow.matches) app.layout.setState({ sidebarOpen: false });
    };
    narrow.addEventListener("change", onNarrow);
    return () => narrow.removeEventListener("change", onNarrow);
  }, [app]);

  const width: CSSProperties & Record<`--${string}`, string> = { "--sidebar": `${sidebarWidth}px` };
  return (
    <>
      <div className={sidebarOpen ? "app" : "app wide"} style={width}>
        <Sidebar />
        <Panels />
        <StatusBar />
      </div>
      <LinkNotice />
      <Overlays />
      <ToastList />
    </>
  );
}
