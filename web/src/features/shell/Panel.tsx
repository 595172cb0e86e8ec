import { type DragEvent, useEffect, useRef, useState } from "react";
import { useApp, usePart } from "../AppContext.ts";
import { QueryPage } from "../editor/QueryPage.tsx";
import { InspectorLiesOver } from "../InspectorRoom.ts";
import { Hello } from "./Hello.tsx";
import { isTabDrag, tabOfDrag } from "./tab_drag.ts";
import { tabHeadId } from "./TabHead.tsx";
import { TabStrip } from "./TabStrip.tsx";

interface PanelProps {
  readonly side: "only" | "first" | "second";
  /** The part of the width that it has. */
  readonly share: number;
}

/** Below these widths of a panel the inspector lies over the grid, and the words of a bar's choices go. */
const SLIM_BELOW = 840;
const TIGHT_BELOW = 600;
/** The width of a page below which the inspector lies over the grid in any panel. */
const OVER_BELOW = 1100;

/** Tabs, and the sheet with the one that is shown. */
export function Panel({ side, share }: PanelProps) {
  const app = useApp();
  const tabs = usePart(app.tabs.store, (state) => state.tabs);
  const activeId = usePart(app.tabs.store, (state) => state.activeId);
  const otherId = usePart(app.tabs.store, (state) => state.otherId);
  const [room, setRoom] = useState("");
  const [liesOver, setLiesOver] = useState(false);
  const [isOver, setOver] = useState(false);
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const element = panel.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      setRoom(roomOf(element.clientWidth));
      setLiesOver(element.clientWidth < SLIM_BELOW || innerWidth < OVER_BELOW);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const isSecond = side === "second";
  const isIts = (id: string | undefined) => side === "only" || (tabs.find((tab) => tab.id === id)?.second === true) === isSecond;
  const own = tabs.filter(({ id }) => isIts(id));
  const isHere = isIts(activeId);
  const shownId = isHere ? activeId : otherId;
  const shownBefore = useRef(shownId);
  useEffect(() => {
    const isLast = shownBefore.current !== undefined && shownId === undefined;
    shownBefore.current = shownId;
    // Whoever closed the last tab by keys goes on where the next one is begun.
    if (isLast && document.activeElement === document.body) panel.current?.querySelector<HTMLElement>(".starts button")?.focus();
  }, [shownId]);
  /** Whoever touches a panel works in it from then on. */
  const come = () => {
    const now = app.tabs.store.getState();
    if (shownId !== undefined && shownId !== now.activeId && now.otherId === shownId) app.tabs.activate(shownId);
  };
  // Over one panel alone its right half is meant: a second one is made there.
  const takes = (event: DragEvent<HTMLElement>) => {
    if (!isTabDrag(event)) return false;
    const box = event.currentTarget.getBoundingClientRect();
    return side !== "only" || (own.length > 1 && !app.tabs.drawn.getState().one && event.clientX > box.left + box.width / 2);
  };
  const sheetId = isSecond ? "sheet-2" : "sheet";
  return (
    <section
      ref={panel}
      className={`panel ${isHere ? "here" : "away"}${room}`}
      style={{ flexGrow: share }}
      aria-label={side === "only" ? "Tabs" : isSecond ? "Right panel" : "Left panel"}
      onPointerDownCapture={come}
      onFocusCapture={come}
    >
      <TabStrip tabs={own} shownId={shownId} side={side} sheetId={sheetId} />
      <div
        className={isOver ? `sheet over ${side}` : "sheet"}
        id={sheetId}
        {...(shownId === undefined ? {} : { role: "tabpanel", "aria-labelledby": tabHeadId(shownId) })}
        onDragOver={(event) => {
          const will = takes(event);
          if (will) event.preventDefault();
          setOver(will);
        }}
        onDragLeave={(event) => {
          if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) setOver(false);
        }}
        onDrop={(event) => {
          const id = tabOfDrag(event);
          setOver(false);
          if (id !== undefined && takes(event) && (side === "only" || !isIts(id))) app.tabs.cross(id);
        }}
      >
        {shownId === undefined ? <Hello /> : <InspectorLiesOver value={liesOver}><QueryPage key={shownId} tabId={shownId} /></InspectorLiesOver>}
      </div>
    </section>
  );
}

function roomOf(width: number): string {
  return `${width < SLIM_BELOW ? " slim" : ""}${width < TIGHT_BELOW ? " tight" : ""}`;
}
