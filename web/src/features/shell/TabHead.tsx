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
  readonly onMenu: (x: number, y: number) => void;
}

/** A tab's title, which is clicked, dragged and closed. */
export function TabHead({ tab, isShown, sheetId, onMenu }: TabHeadProps) {
  const app = useApp();
  const keysOf = useKeys();
  const environment = usePart(app.connections.store, () => environmentOf(app.connections.find(tab.connectionId)?.spec));
  return (
    <div
      className={`tab ${environment}`}
      role="tab"
      tabIndex={isShown ? 0 : -1}
      aria-selected={isShown}
      aria-controls={sheetId}
      draggable
      onClick={() => app.tabs.activate(tab.id)}
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
      <Icon name="prompt" />
      <span className="n">{tab.title}</span>
      <span
        className="x"
        title={`Close  ${keysOf(closeTab) ?? ""}`.trim()}
        onClick={(event) => {
          event.stopPropagation();
          closeWithCare(app, tab.id);
        }}
      >
        <Icon name="close" small />
      </span>
    </div>
  );
}
