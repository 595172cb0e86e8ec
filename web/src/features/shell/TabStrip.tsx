import { type KeyboardEvent, useCallback, useEffect, useRef, useState } from "react";
import { closeTab } from "../../actions/close_tab.ts";
import { crossTab } from "../../actions/cross_tab.ts";
import { newQuery } from "../../actions/new_query.ts";
import { openPalette } from "../../actions/open_palette.ts";
import { toggleSidebar } from "../../actions/toggle_sidebar.ts";
import { closeOtherTabs, closeTab as closeWithCare } from "../../state/close_tabs.ts";
import { valueOf } from "../../state/load.ts";
import type { Tab } from "../../state/tabs.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Menu, type MenuItem } from "../../ui/Menu.tsx";
import { useApp, useKeys, usePart } from "../AppContext.ts";
import { ActionButton } from "./ActionButton.tsx";
import { isTabDrag, tabOfDrag } from "./tab_drag.ts";
import { TabHead, tabHeadId } from "./TabHead.tsx";

interface TabStripProps {
  readonly tabs: readonly Tab[];
  readonly shownId: string | undefined;
  readonly side: "only" | "first" | "second";
  /** What they are shown on. */
  readonly sheetId: string;
}

interface MenuPlace {
  readonly x: number;
  readonly y: number;
}

/** The tabs of a panel, and beside the last ones the way to every command. */
export function TabStrip({ tabs, shownId, side, sheetId }: TabStripProps) {
  const app = useApp();
  const keysOf = useKeys();
  const count = usePart(app.tabs.store, (state) => state.tabs.length);
  const isOne = usePart(app.tabs.drawn, ({ one }) => one);
  const sidebarOpen = usePart(app.layout, (layout) => layout.sidebarOpen);
  const hasConnections = usePart(app.connections.store, (state) => (valueOf(state)?.length ?? 0) > 0);
  const canRun = usePart(app.runs.canRun, ({ value }) => value === true);
  const strip = useRef<HTMLDivElement>(null);
  const [listAt, setListAt] = useState<MenuPlace>();
  const [tabMenu, setTabMenu] = useState<MenuPlace & { readonly tab: Tab }>();
  const closeMenus = useCallback(() => {
    setListAt(undefined);
    setTabMenu(undefined);
  }, []);

  const showShown = () => {
    strip.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  useEffect(showShown, [shownId]);

  // Tabs keep room for their names: those that are out of sight are in a list.
  const [isFull, setFull] = useState(false);
  useEffect(() => {
    const element = strip.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      setFull(element.scrollWidth > element.clientWidth);
      showShown();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [tabs.length]);

  const hintId = `${sheetId}-close-hint`;
  const focusShown = () => requestAnimationFrame(() => strip.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  const onKeyDown = (event: KeyboardEvent) => {
    const by: Partial<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };
    const move = by[event.key];
    if (move !== undefined) {
      event.preventDefault();
      app.tabs.step(move);
      focusShown();
    } else if (event.key === "Delete" && shownId !== undefined) {
      closeWithCare(app, shownId);
      focusShown();
    } else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const tab = tabs.find(({ id }) => id === shownId);
      const box = strip.current?.querySelector('[aria-selected="true"]')?.getBoundingClientRect();
      if (tab === undefined || box === undefined) return;
      event.preventDefault();
      setTabMenu({ tab, x: box.left, y: box.bottom });
    }
  };
  const itemsOf = (tab: Tab): readonly (readonly MenuItem[])[] => {
    const where = side === "only" ? "Split to the right" : side === "first" ? "Move to the right panel" : "Move to the left panel";
    return [
      count < 2 || isOne ? [] : [{ label: where, icon: "pane-r", keys: keysOf(crossTab), onChoose: () => app.tabs.cross(tab.id) }],
      [
        { label: "Close", icon: "close", keys: keysOf(closeTab), onChoose: () => closeWithCare(app, tab.id) },
        ...(tabs.length < 2 ? [] : [{ label: "Close the others", onChoose: () => closeOtherTabs(app, tab) }]),
      ],
    ];
  };

  return (
    <header
      className="strip"
      onDragOver={(event) => {
        if (isTabDrag(event)) event.preventDefault();
      }}
      onDrop={(event) => {
        const [id, last] = [tabOfDrag(event), tabs.at(-1)];
        if (id === undefined || last === undefined) return;
        // Behind the last one: from the other panel it comes before it first.
        if (!tabs.some((tab) => tab.id === id)) app.tabs.move(id, last.id);
        app.tabs.move(id, last.id);
      }}
    >
      {side !== "second" && <ActionButton action={toggleSidebar} iconOnly className={sidebarOpen ? "only-narrow strip-side" : "strip-side"} />}
      {tabs.length > 0 && (
        <div role="tablist" aria-label={side === "second" ? "Open tabs at the right" : "Open tabs"} aria-owns={tabs.map(({ id }) => tabHeadId(id)).join(" ")} />
      )}
      <span id={hintId} hidden>
        Delete closes it
      </span>
      <div className="tabs" ref={strip} onKeyDown={onKeyDown} onWheel={(event) => event.currentTarget.scrollBy({ left: event.deltaY })}>
        {tabs.map((tab) => (
          <TabHead key={tab.id} tab={tab} isShown={tab.id === shownId} sheetId={sheetId} hintId={hintId} onMenu={(x, y) => setTabMenu({ tab, x, y })} />
        ))}
      </div>
      <div className="strip-end">
        {tabs.length > 1 && (
          <button
            type="button"
            className={isFull ? "btn icon" : "btn icon only-phone"}
            aria-label={`${tabs.length} tabs`}
            title="All tabs"
            onClick={(event) => {
              const { left, bottom } = event.currentTarget.getBoundingClientRect();
              setListAt({ x: left, y: bottom + 4 });
            }}
          >
            <Icon name="down" />
          </button>
        )}
        {hasConnections && canRun && <ActionButton action={newQuery} icon="plus" iconOnly />}
      </div>
      {listAt !== undefined && (
        <Menu
          label="All tabs"
          {...listAt}
          onClose={closeMenus}
          groups={[tabs.map((tab) => ({ label: tab.title, checked: tab.id === shownId, onChoose: () => app.tabs.activate(tab.id) }))]}
        />
      )}
      {tabMenu !== undefined && <Menu label={`What to do with ${tabMenu.tab.title}`} x={tabMenu.x} y={tabMenu.y} onClose={closeMenus} groups={itemsOf(tabMenu.tab)} />}
      {side !== "first" && (
        <div className="strip-tools">
          <button type="button" className="btn palette-key" title={`${openPalette.name}  ${keysOf(openPalette) ?? ""}`.trim()} onClick={() => openPalette.run(app)}>
            <Icon name="search" />
            <span className="hide-narrow">{openPalette.name}</span>
            <kbd aria-hidden="true">{keysOf(openPalette)}</kbd>
          </button>
        </div>
      )}
    </header>
  );
}
