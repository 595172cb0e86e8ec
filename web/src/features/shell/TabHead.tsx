import { closeTab } from "../../actions/close_tab.ts";
import { environmentOf } from "../../state/connections.ts";
import { closeTab as closeWithCare } from "../../state/close_tabs.ts";
import type { Tab } from "../../state/tabs.ts";
import { Icon } from "../../ui/Icon.tsx";
import { useApp, useKeys, usePart } from "../AppContext.ts";
import { isTabDrag, startTabDrag, tabOfDrag } from "./tab_drag.ts";

interface TabHeadProps {
  readonly tab: Tab;
  readonly isShown: boolean;
  readonly sheetId: string;
  /** The id of what says how tabs are closed. */
  readonly hintId: string;
  readonly onMenu: (x: number, y: number) => void;
}

/** A tab's title, which is clicked, dragged and closed. */
export function TabHead({ tab, isShown, sheetId, hintId, onMenu }: TabHeadProps) {
  const app = useApp();
  const keysOf = useKeys();
  const environment = usePart(app.connections.store, () => environmentOf(app.connections.find(tab.connectionId)?.spec));
  return (
    // Its head alone is the tab: what closes it stands beside it, so that the tab's name is its title.
    <div
      className={`tab ${environment}${isShown ? " on" : ""}`}
      role="presentation"
      draggable
      onAuxClick={(event) => {
        if (event.button === 1) closeWithCare(app, tab.id);
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        onMenu(event.clientX, event.clientY);
      }}
      onDragStart={(event) => startTabDrag(event, tab.id)}
      onDragOver={(event) => {
        if (isTabDrag(event)) event.preventDefault();
      }}
      onDrop={(event) => {
        event.stopPropagation();
        app.tabs.move(tabOfDrag(event) ?? "", tab.id);
      }}
    >
      <div
        id={tabHeadId(tab.id)}
        className="tab-head"
        role="tab"
        tabIndex={isShown ? 0 : -1}
        aria-selected={isShown}
        aria-controls={isShown ? sheetId : undefined}
        aria-keyshortcuts="Delete"
        aria-describedby={hintId}
        title={tab.title}
        onClick={(event) => {
          app.tabs.activate(tab.id);
          // Not every browser gives what is clicked the focus.
          event.currentTarget.focus();
        }}
      >
        <Icon name="prompt" />
        <span className="n">{tab.title}</span>
      </div>
      <button
        type="button"
        className="x"
        // The tabs are one stop of the Tab key; Delete does the same on a tab.
        tabIndex={-1}
        aria-label={`Close ${tab.title}`}
        title={`Close  ${keysOf(closeTab) ?? ""}`.trim()}
        onClick={() => closeWithCare(app, tab.id)}
      >
        <Icon name="close" small />
      </button>
    </div>
  );
}

/** The id of what carries a tab's title: its page is named after it. */
export function tabHeadId(tabId: string): string {
  return `tab-${tabId}`;
}
