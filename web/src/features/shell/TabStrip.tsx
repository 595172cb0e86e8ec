import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { closeTab } from "../../actions/close_tab.ts";
import { newQuery } from "../../actions/new_query.ts";
import { openPalette } from "../../actions/open_palette.ts";
import { toggleSidebar } from "../../actions/toggle_sidebar.ts";
import { environmentOf } from "../../state/connections.ts";
import { valueOf } from "../../state/load.ts";
import type { Tab } from "../../state/tabs.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { keysOf, useApp, usePart } from "../AppContext.ts";
import { ActionButton } from "./ActionButton.tsx";

/** The open tabs, and the way to every command. */
export function TabStrip() {
  const app = useApp();
  const tabs = usePart(app.tabs.store, (state) => state.tabs);
  const activeId = usePart(app.tabs.store, (state) => state.activeId);
  const sidebarOpen = usePart(app.layout, (layout) => layout.sidebarOpen);
  const hasConnections = usePart(app.connections.store, (state) => (valueOf(state)?.length ?? 0) > 0);
  const canRun = usePart(app.runs.canRun, ({ value }) => value === true);
  const strip = useRef<HTMLDivElement>(null);
  const [listAt, setListAt] = useState<{ readonly x: number; readonly y: number }>();

  useEffect(() => {
    strip.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [activeId]);

  const onKeyDown = (event: KeyboardEvent) => {
    const by: Partial<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };
    const move = by[event.key];
    if (move !== undefined) {
      event.preventDefault();
      app.tabs.step(move);
      requestAnimationFrame(() => strip.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
    } else if (event.key === "Delete" && app.tabs.active !== undefined) app.tabs.close(app.tabs.active.id);
  };

  return (
    <header className="strip">
      <ActionButton action={toggleSidebar} iconOnly className={sidebarOpen ? "only-narrow strip-side" : "strip-side"} />
      <div className="tabs" role="tablist" aria-label="Open tabs" ref={strip} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <TabHead key={tab.id} tab={tab} isActive={tab.id === activeId} />
        ))}
      </div>
      <div className="strip-end">
        {tabs.length > 1 && (
          <button
            type="button"
            className="btn icon only-phone"
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
          onClose={() => setListAt(undefined)}
          groups={[
            tabs.map((tab) => ({
              label: tab.title,
              checked: tab.id === activeId,
              onChoose: () => app.tabs.activate(tab.id),
            })),
          ]}
        />
      )}
      <div className="strip-tools">
        <button type="button" className="btn palette-key" title="Search or run a command" onClick={() => openPalette.run(app)}>
          <Icon name="search" />
          <span className="hide-narrow">{openPalette.name}</span>
          <kbd aria-hidden="true">{keysOf(openPalette.shortcut)}</kbd>
        </button>
      </div>
    </header>
  );
}

function TabHead({ tab, isActive }: { readonly tab: Tab; readonly isActive: boolean }) {
  const app = useApp();
  const environment = usePart(app.connections.store, () => environmentOf(app.connections.find(tab.connectionId)?.spec));
  return (
    <div
      className={`tab ${environment}`}
      role="tab"
      tabIndex={isActive ? 0 : -1}
      aria-selected={isActive}
      aria-controls="sheet"
      draggable
      onClick={() => app.tabs.activate(tab.id)}
      onAuxClick={(event) => {
        if (event.button === 1) app.tabs.close(tab.id);
      }}
      onDragStart={(event) => event.dataTransfer.setData("application/x-querybox-tab", tab.id)}
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes("application/x-querybox-tab")) event.preventDefault();
      }}
      onDrop={(event) => app.tabs.move(event.dataTransfer.getData("application/x-querybox-tab"), tab.id)}
    >
      <Icon name="prompt" />
      <span className="n">{tab.title}</span>
      <span
        className="x"
        title={`Close  ${keysOf(closeTab.shortcut) ?? ""}`}
        onClick={(event) => {
          event.stopPropagation();
          app.tabs.close(tab.id);
        }}
      >
        <Icon name="close" small />
      </span>
    </div>
  );
}
