import { useEffect, useRef, useState } from "react";
import { DRAWER_BELOW } from "../../state/layout.ts";
import { Resizer } from "../../ui/Resizer.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { Panel } from "./Panel.tsx";

/** Where the work is: one panel of tabs, or two side by side. */
export function Panels() {
  const app = useApp();
  const hasTwo = usePart(app.tabs.store, (state) => state.otherId !== undefined);
  const share = usePart(app.layout, (layout) => layout.panelShare);
  const isNarrow = useNarrow();
  const panels = useRef<HTMLElement>(null);
  if (!hasTwo || isNarrow) {
    return (
      <main className="panels">
        <Panel key="first" side="only" />
      </main>
    );
  }
  return (
    <main className="panels two" ref={panels}>
      <Panel key="first" side="first" share={share} />
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
    </main>
  );
}

/** Whether there is no room for two panels: then one shows the tabs of both. */
function useNarrow(): boolean {
  const [query] = useState(() => matchMedia(`(max-width: ${DRAWER_BELOW}px)`));
  const [isNarrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const hear = () => setNarrow(query.matches);
    query.addEventListener("change", hear);
    return () => query.removeEventListener("change", hear);
  }, [query]);
  return isNarrow;
}
