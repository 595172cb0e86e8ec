import { type CSSProperties, useEffect, useRef } from "react";
import { actionFor } from "../../actions/keys.ts";
import { DRAWER_BELOW } from "../../state/layout.ts";
import { isWindowOpen } from "../../ui/Dialog.tsx";
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

  /** Whether no window lay over the page before anything heard of a key: what closes its window by one is not followed by what that key does here. */
  const isFree = useRef(true);
  useEffect(() => {
    const look = () => (isFree.current = !isWindowOpen());
    const onKeyDown = (event: KeyboardEvent) => {
      // Windows have keys of their own, and nothing behind them is to happen.
      if (!isFree.current) return;
      const action = actionFor(app, event, MAC);
      if (action === undefined) return;
      event.preventDefault();
      action.run(app);
    };
    addEventListener("keydown", look, true);
    addEventListener("keydown", onKeyDown);
    return () => {
      removeEventListener("keydown", look, true);
      removeEventListener("keydown", onKeyDown);
    };
  }, [app]);

  useEffect(() => {
    // What would cover a narrow page is closed while the page is one, and when what it was opened for has come.
    const narrow = matchMedia(`(max-width: ${DRAWER_BELOW}px)`);
    const fit = () => app.keptSettings.fit();
    const closeDrawer = () => {
      if (narrow.matches && app.layout.getState().sidebarOpen) app.layout.setState({ sidebarOpen: false });
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented && isFree.current) closeDrawer();
    };
    narrow.addEventListener("change", fit);
    addEventListener("keydown", onKeyDown);
    const stop = app.tabs.store.subscribe((now, before) => {
      if (now.activeId !== before.activeId && now.activeId !== undefined) closeDrawer();
    });
    return () => {
      narrow.removeEventListener("change", fit);
      removeEventListener("keydown", onKeyDown);
      stop();
    };
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
