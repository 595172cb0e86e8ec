import { type Ref, useEffect, useImperativeHandle, useMemo, useRef } from "react";
import type { StatementResult } from "../../gen/core/v1/result_pb.ts";
import type { SortKey } from "../../results/arrangement.ts";
import type { ColumnLayout } from "../../results/column_layout.ts";
import type { CopyFormat, SqlForm } from "../../results/copy.ts";
import { CoreSource, windowOfRows } from "../../results/core_source.ts";
import { GridView } from "../../results/grid_view.ts";
import { ORIGIN, type Place, rangeOf, type Selection } from "../../results/selection.ts";
import type { ResultColumn } from "../../results/source.ts";
import { sumCells } from "../../state/cells.ts";
import { copyCells } from "../../state/copying.ts";
import { rowHeightOf } from "../../state/layout.ts";
import type { FirstPage } from "../../state/runs.ts";
import { useApp, usePart } from "../AppContext.ts";

/** What the page asks of the grid. */
export interface GridHandle {
  readonly copy: (format: CopyFormat) => void;
  readonly openColumn: () => void;
  readonly moveColumn: (by: number) => void;
  readonly stretchColumn: (by: number | "fit") => void;
  readonly goToRow: (row: number) => void;
  readonly focus: () => void;
}

interface ResultGridProps {
  readonly id: string;
  readonly label: string;
  readonly resultId: string;
  readonly statement: StatementResult;
  /** The view that is shown. 0: the statement's own rows. */
  readonly view: number;
  readonly columns: readonly ResultColumn[];
  readonly rowCount: number;
  readonly page: FirstPage | undefined;
  /** How the database writes names and literals. */
  readonly form: SqlForm;
  readonly sort: readonly SortKey[];
  readonly layout: ColumnLayout;
  readonly ref: Ref<GridHandle>;
  readonly onLayout: (layout: ColumnLayout) => void;
  readonly onSort: (column: number, isAdded: boolean) => void;
  /** The active cell, by its column in the result. */
  readonly onPlace: (place: Place) => void;
  readonly onColumn: (head: DOMRect) => void;
  readonly onCells: (x: number, y: number) => void;
  readonly onOpen: () => void;
  readonly onLeave: () => void;
}

/** The rows of a statement. The grid draws by itself; this hangs it into the page. */
export function ResultGrid(props: ResultGridProps) {
  const { resultId, statement, columns, view, rowCount, page, sort, layout } = props;
  const app = useApp();
  const rowHeight = usePart(app.layout, rowHeightOf);
  const root = useRef<HTMLDivElement>(null);
  const grid = useRef<GridView>(undefined);
  const latest = useRef(props);
  latest.current = props;
  // What is known of columns may come behind the first rows: they are told, and nothing that is shown is let go for that.
  const source = useMemo(
    () => new CoreSource(app.core, { resultId, statement: statement.statement, view }, latest.current.columns),
    [app, resultId, statement.statement, view],
  );
  const selection = useRef<{ readonly view: number; readonly of: Selection }>({ view, of: ORIGIN });
  /** The layout that the grid has: what it tells of is counted by it, and the page may hear of a change a little later. */
  const drawn = useRef(layout);

  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    const now = latest.current;
    // In other rows the place means nothing; its column still does.
    const { active } = selection.current.of;
    const top: Selection = { anchor: { row: 0, column: active.column }, active: { row: 0, column: active.column } };
    let stop = new AbortController();
    drawn.current = now.layout;
    const made = new GridView(
      element,
      source,
      {
        onSelect: (selected) => {
          selection.current = { view, of: selected };
          latest.current.onPlace({ row: selected.active.row, column: drawn.current.order[selected.active.column] ?? 0 });
          stop.abort();
          stop = new AbortController();
          void sumCells(app, source, rangeOf(selected), drawn.current, stop.signal);
        },
        onFailure: (error) => {
          const problem = app.link.hear(error);
          if (problem !== undefined) app.toasts.fail("Some rows could not be read", problem.message);
        },
        onOpen: () => latest.current.onOpen(),
        onCopy: (withNames) => void copyCells(app, resultId, source, rangeOf(made.selected), drawn.current, withNames ? "tsv-names" : "tsv", latest.current.form),
        onSort: (column, isAdded) => latest.current.onSort(column, isAdded),
        onColumn: (head) => latest.current.onColumn(head),
        onCells: (x, y) => latest.current.onCells(x, y),
        onLayout: (changed) => {
          drawn.current = changed;
          latest.current.onLayout(changed);
        },
      },
      {
        rowCount: now.rowCount,
        layout: now.layout,
        sort: now.sort,
        selection: selection.current.view === view ? selection.current.of : top,
        firstRows: page === undefined || view !== 0 ? undefined : windowOfRows(page.rows),
      },
    );
    grid.current = made;
    return () => {
      stop.abort();
      app.selected.setState({ text: "", exact: "" });
      made.destroy();
      grid.current = undefined;
    };
  }, [app, source, view, page, rowHeight]);
  useEffect(() => grid.current?.setRowCount(rowCount), [rowCount]);
  useEffect(() => {
    if (source.columns === columns) return;
    source.know(columns);
    grid.current?.hearColumns();
  }, [source, columns]);
  useEffect(() => grid.current?.setSort(sort), [sort, layout]);
  useEffect(() => {
    if (drawn.current === layout) return;
    drawn.current = layout;
    grid.current?.setLayout(layout);
  }, [layout]);

  useImperativeHandle(props.ref, () => ({
    copy: (format) => {
      if (grid.current !== undefined) void copyCells(app, resultId, source, rangeOf(grid.current.selected), drawn.current, format, latest.current.form);
    },
    openColumn: () => grid.current?.openColumn(),
    moveColumn: (by) => grid.current?.moveColumn(by),
    stretchColumn: (by) => grid.current?.stretchColumn(by),
    goToRow: (row) => grid.current?.goToRow(row),
    focus: () => root.current?.focus(),
  }));

  return (
    <div
      ref={root}
      id={props.id}
      className="grid"
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-readonly="true"
      onKeyDown={(event) => {
        if (event.key === "ArrowUp" && (event.ctrlKey || event.metaKey) && grid.current?.selected.active.row === 0) props.onLeave();
      }}
    />
  );
}
