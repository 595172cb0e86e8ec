import { useDeferredValue, useState } from "react";
import { findInTree, TREE_SEARCH_ID } from "../../actions/find_in_tree.ts";
import { newConnection } from "../../actions/new_connection.ts";
import { openSettings } from "../../actions/open_settings.ts";
import { switchTheme } from "../../actions/switch_theme.ts";
import { toggleSidebar } from "../../actions/toggle_sidebar.ts";
import type { App } from "../../state/app.ts";
import { valueOf } from "../../state/load.ts";
import { treeRows } from "../../state/tree.ts";
import { Icon, Mark } from "../../ui/Icon.tsx";
import { Resizer } from "../../ui/Resizer.tsx";
import { useApp, useKeys, usePart } from "../AppContext.ts";
import { ConnectionTree } from "../schema/ConnectionTree.tsx";
import { openRow } from "../schema/row_actions.ts";
import { ActionButton } from "./ActionButton.tsx";

/** Connections and what they hold. */
export function Sidebar() {
  const app = useApp();
  const keysOf = useKeys();
  const width = usePart(app.layout, (layout) => layout.sidebarWidth);
  const [filter, setFilter] = useState("");
  // Typing stays quick while ten thousand names are looked through.
  const looked = useDeferredValue(filter);
  return (
    <aside className="side" aria-label="Connections">
      <div className="brand">
        <Mark />
        <span className="grow">QueryBox</span>
        <ActionButton action={newConnection} iconOnly />
        <ActionButton action={toggleSidebar} iconOnly />
      </div>
      <label className="field">
        <Icon name="search" />
        <input
          id={TREE_SEARCH_ID}
          type="search"
          placeholder="Find connection or table"
          aria-label="Find connection or table"
          autoComplete="off"
          spellCheck={false}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape" && filter !== "") {
              event.preventDefault();
              setFilter("");
            }
            if (event.key === "Enter") openFirst(app, filter);
            if (event.key === "ArrowDown") document.querySelector<HTMLElement>(".tree")?.focus();
          }}
        />
        <kbd>{keysOf(findInTree)}</kbd>
      </label>
      <ConnectionTree filter={looked} />
      <div className="side-foot">
        <span className="grow" />
        <ActionButton action={switchTheme} iconOnly />
        <ActionButton action={openSettings} iconOnly />
      </div>
      <Resizer
        label="Width of the sidebar"
        axis="x"
        className="side-edge"
        value={width}
        least={180}
        most={560}
        step={16}
        valueAt={(event) => event.clientX}
        onChange={(sidebarWidth) => app.layout.setState({ sidebarWidth })}
      />
      <button type="button" className="side-away" tabIndex={-1} aria-hidden="true" onClick={() => app.layout.setState({ sidebarOpen: false })} />
    </aside>
  );
}

/** Opens what fits best of all that is looked for. */
function openFirst(app: App, filter: string): void {
  if (filter.trim() === "") return;
  const connections = valueOf(app.connections.store.getState()) ?? [];
  const rows = treeRows({ connections, schemas: app.schemas.store.getState(), toggled: app.toggled.getState(), filter });
  const first = rows.find(({ kind }) => kind === "relation") ?? rows.find(({ kind }) => kind === "connection");
  if (first !== undefined) openRow(app, first);
}
