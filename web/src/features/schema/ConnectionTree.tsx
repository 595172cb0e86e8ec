import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { rowHeightOf } from "../../state/layout.ts";
import { valueOf } from "../../state/load.ts";
import { type App, toggle } from "../../state/app.ts";
import type { SchemaState } from "../../state/schema.ts";
import { type TreeRow, treeRows } from "../../state/tree.ts";
import { Button } from "../../ui/Button.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { COARSE, useMedia } from "../useMedia.ts";
import { openRow, rowMenu } from "./row_actions.ts";
import { TreeRowView } from "./TreeRowView.tsx";

const OVERSCAN = 12;
/** What a finger needs, as the style sheets have it. */
const COARSE_ROW = 36;

interface OpenMenu {
  readonly row: TreeRow;
  readonly x: number;
  readonly y: number;
}

/** Connections, and what their databases hold. Only the rows in sight are in the page. */
export function ConnectionTree({ filter }: { readonly filter: string }) {
  const app = useApp();
  const connections = usePart(app.connections.store, (state) => state);
  const catalogs = usePart(app.schemas.store, (state) => state.catalogs);
  const columns = usePart(app.schemas.store, (state) => state.columns);
  const waiting = usePart(app.schemas.store, (state) => state.waiting);
  const toggled = usePart(app.toggled, (state) => state);
  const shown = usePart(app.shown, ({ key }) => key);
  const isCoarse = useMedia(COARSE);
  const chosenHeight = usePart(app.layout, rowHeightOf);
  const rowHeight = isCoarse ? COARSE_ROW : chosenHeight;
  const [selected, setSelected] = useState<TreeRow>();
  const [menu, setMenu] = useState<OpenMenu>();
  const [view, setView] = useState({ top: 0, height: 600 });
  const box = useRef<HTMLDivElement>(null);
  const list = valueOf(connections);
  const rows = useMemo(
    () => treeRows({ connections: list ?? [], schemas: { catalogs, columns, waiting }, toggled, filter }),
    [list, catalogs, columns, waiting, toggled, filter],
  );

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const at = placeOf(rows, selected);
  const choose = (row: TreeRow) => {
    setSelected(row);
    app.shown.setState({ key: undefined });
  };
  const bring = (index: number) => {
    const element = box.current;
    if (element === null || index < 0) return;
    const top = index * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight - element.clientHeight;
  };
  const select = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    choose(row);
    bring(rows.indexOf(row));
  };
  useEffect(() => {
    const row = shown === undefined ? undefined : rows.find(({ key }) => key === shown);
    // Its catalog may still be on its way, or something else is looked for.
    if (row === undefined) return;
    choose(row);
    bring(rows.indexOf(row));
  }, [rows, shown]);
  // What was found is in sight when all is shown again.
  useEffect(() => bring(at), [filter]);
  const flip = (row: Foldable) => {
    toggle(app, row.key);
    // What could not be read is tried again; what was never read, is read when it is in sight.
    if (!row.open) read(app, row);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const row = rows[at];
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const moves: Partial<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: at + page,
      PageUp: at - page,
    };
    const to = moves[event.key];
    if (to !== undefined) select(to);
    else if (row === undefined) return;
    else if (event.key === "ArrowRight") {
      if (isFoldable(row) && !row.open) flip(row);
      else select(at + 1);
    } else if (event.key === "ArrowLeft") {
      if (isFoldable(row) && row.open) flip(row);
      else select(rows.slice(0, at).findLastIndex((other) => other.depth < row.depth));
    } else if (event.key === "Enter") openRow(app, row);
    else if (event.key === " ") {
      if (isFoldable(row)) flip(row);
    }
    else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const place = document.getElementById(idOf(row))?.getBoundingClientRect();
      if (place !== undefined) setMenu({ row, x: place.left + 24, y: place.bottom });
    } else return;
    event.preventDefault();
  };
  const closeMenu = useCallback(() => setMenu(undefined), []);

  const first = Math.max(0, Math.floor(view.top / rowHeight) - OVERSCAN);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + OVERSCAN);
  useEffect(() => {
    for (const row of rows.slice(first, last)) if (isFoldable(row) && row.open && !isAsked({ catalogs, columns }, row)) read(app, row);
  }, [app, rows, catalogs, columns, first, last]);
  if (connections.kind === "failed") {
    return (
      <div className="tree-say" role="alert">
        <p>{connections.problem.message}</p>
        <Button label="Try again" icon="refresh" look="line" onClick={() => void app.connections.load()} />
      </div>
    );
  }
  const groups = menu === undefined ? [] : rowMenu(app, menu.row);
  return (
    <>
      <div
        ref={box}
        className="tree"
        // Without a row it is no tree: then it only says why.
        role={rows.length === 0 ? "group" : "tree"}
        aria-label="Connections and tables"
        aria-busy={connections.kind === "loading"}
        aria-activedescendant={rows[at] === undefined ? undefined : idOf(rows[at])}
        tabIndex={0}
        onFocus={() => {
          if (at < 0) select(0);
        }}
        onKeyDown={onKeyDown}
        onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
      >
        <div role="presentation" className="tree-space" style={{ height: rows.length * rowHeight }}>
          {rows.slice(first, last).map((row, index) => (
            <TreeRowView
              key={row.key}
              id={idOf(row)}
              row={row}
              top={(first + index) * rowHeight}
              isSelected={first + index === at}
              hasButton={isCoarse && first + index === at}
              // Below a connection all rows carry its color.
              isLast={rows[first + index + 1]?.connection !== row.connection}
              onSelect={() => choose(row)}
              onFlip={() => isFoldable(row) && flip(row)}
              onOpen={() => openRow(app, row)}
              onMenu={(x, y) => {
                choose(row);
                setMenu({ row, x, y });
              }}
            />
          ))}
        </div>
        {rows.length === 0 && connections.kind === "ready" && (
          <p className="tree-say">
            {filter === "" ? "No connection yet. Add one with the plus above." : "No match among the open connections."}
          </p>
        )}
      </div>
      {menu !== undefined && groups.length > 0 && <Menu label="What to do" groups={groups} x={menu.x} y={menu.y} onClose={closeMenu} />}
    </>
  );
}

type Foldable = Extract<TreeRow, { open: boolean }>;

function isFoldable(row: TreeRow): row is Foldable {
  return "open" in row;
}

/** Asks for what a row holds. */
function read(app: App, row: Foldable): void {
  if (row.kind === "connection") void app.schemas.open(row.connection.id);
  if (row.kind === "relation" && row.connection !== undefined) {
    void app.schemas.openColumns(row.connection.id, row.relation.schema, row.relation.name);
  }
}

function isAsked({ catalogs, columns }: Pick<SchemaState, "catalogs" | "columns">, row: Foldable): boolean {
  if (row.kind === "connection") return catalogs.has(row.connection.id);
  return row.kind !== "relation" || columns.has(row.key);
}

/** Where the selected row is now. When it is gone, its connection stands in for it. */
function placeOf(rows: readonly TreeRow[], selected: TreeRow | undefined): number {
  const at = rows.findIndex(({ key }) => key === selected?.key);
  if (at >= 0 || selected?.connection === undefined) return at;
  return rows.findIndex(({ key }) => key === selected.connection?.id);
}

function idOf(row: TreeRow): string {
  return `tree ${row.key}`.replaceAll(/\s/g, "_");
}
