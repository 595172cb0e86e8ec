import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import { Resizer } from "../../ui/Resizer.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { Panel } from "./Panel.tsx";

/** Where the work is: one panel of tabs, or two side by side. */
export function Panels() {
  const app = useApp();
  const hasTwo = usePart(app.tabs.store, (state) => state.otherId !== undefined);
  const share = usePart(app.layout, (layout) => layout.panelShare);
  const panels = useRef<HTMLElement>(null);
  const isNarrow = useNarrow(panels);
  useLayoutEffect(() => app.tabs.drawn.setState({ one: isNarrow }), [app, isNarrow]);
  const isSplit = hasTwo && !isNarrow;
  return (
    <main className={isSplit ? "panels two" : "panels"} ref={panels}>
      <Panel key="first" side={isSplit ? "first" : "only"} share={isSplit ? share : 1} />
      {isSplit && (
        <>
          <Resizer
            label="Width of the left panel"
            axis="x"
            className="panel-edge"
            value={share}
            least={0.2}
            most={0.8}
            step={0.05}
            valueAt={(event) => {
              const box = panels.current?.getBoundingClientRect();
              return box === undefined ? share : (event.clientX - box.left) / box.width;
            }}
            onChange={(panelShare) => app.layout.setState({ panelShare })}
          />
          <Panel key="second" side="second" share={1 - share} />
        </>
      )}
    </main>
  );
}

/** Less is too little for two panels: then one shows the tabs of both. */
const TWO_FROM = 760;

function useNarrow(panels: RefObject<HTMLElement | null>): boolean {
  const [isNarrow, setNarrow] = useState(false);
  useLayoutEffect(() => {
    const element = panels.current;
    if (element === null) return;
    const look = () => setNarrow(element.clientWidth < TWO_FROM);
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [panels]);
  return isNarrow;
}
