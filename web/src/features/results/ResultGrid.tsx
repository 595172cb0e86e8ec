import { useEffect, useMemo, useRef } from "react";
import type { StatementResult } from "../../gen/core/v1/result_pb.ts";
import { COPY_CELLS_MAX, tsvOf } from "../../results/copy.ts";
import { columnsOf, CoreSource, windowOfRows } from "../../results/core_source.ts";
import { GridView } from "../../results/grid_view.ts";
import { cellCount, type Place, rangeOf } from "../../results/selection.ts";
import type { FirstPage } from "../../state/runs.ts";
import { copyText } from "../../ui/clipboard.ts";
import { useApp, usePart } from "../AppContext.ts";

interface ResultGridProps {
  readonly id: string;
  readonly label: string;
  readonly resultId: string;
  readonly statement: StatementResult;
  readonly page: FirstPage | undefined;
  readonly onPlace: (place: Place) => void;
  readonly onOpen: () => void;
  readonly onLeave: () => void;
}

/** The rows of a statement. The grid draws by itself; this hangs it into the page. */
export function ResultGrid(props: ResultGridProps) {
  const { id, label, resultId, statement, page } = props;
  const app = useApp();
  const density = usePart(app.layout, (layout) => layout.density);
  const root = useRef<HTMLDivElement>(null);
  const view = useRef<GridView>(undefined);
  const latest = useRef(props);
  latest.current = props;
  // What is known of columns may come after the first rows; then the grid is hung up anew.
  const known = JSON.stringify(columnsOf(statement));
  const columns = useMemo(() => columnsOf(latest.current.statement), [known]);
  const rowCount = Number(statement.rowCount);
  const firstCount = useRef(rowCount);
  firstCount.current = rowCount;

  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    const source = new CoreSource(app.core, resultId, statement.statement, columns);
    const first = page === undefined ? undefined : windowOfRows(page.rows);
    const grid = new GridView(
      element,
      source,
      firstCount.current,
      {
        onSelect: ({ active }) => latest.current.onPlace(active),
        onFailure: (error) => {
          const problem = app.link.hear(error);
          if (problem !== undefined) app.toasts.fail("Some rows could not be read", problem.message);
        },
        onOpen: () => latest.current.onOpen(),
        onCopy: (withNames) => void copy(withNames),
      },
      first,
    );
    const copy = async (withNames: boolean) => {
      const range = rangeOf(grid.selected);
      if (cellCount(range) > COPY_CELLS_MAX) {
        app.toasts.fail("Too many cells for the clipboard", `Select at most ${COPY_CELLS_MAX.toLocaleString("en-US")}.`);
        return;
      }
      const names = withNames ? columns.slice(range.left, range.right + 1).map(({ name }) => name) : undefined;
      try {
        const rows = grid.pages.readAll(range.top, range.bottom, new AbortController().signal);
        const isCopied = await copyText(await tsvOf(rows, range, names));
        if (isCopied) app.toasts.say(copiedText(cellCount(range)));
        else app.toasts.fail("The browser did not let the page copy", "");
      } catch (error) {
        app.toasts.fail("Nothing was copied", app.link.hear(error)?.message ?? "");
      }
    };
    view.current = grid;
    return () => {
      grid.destroy();
      view.current = undefined;
    };
  }, [app, resultId, statement.statement, columns, page, density]);
  useEffect(() => view.current?.setRowCount(rowCount), [rowCount]);

  return (
    <div
      ref={root}
      id={id}
      className="grid"
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-readonly="true"
      onKeyDown={(event) => {
        if (event.key === "ArrowUp" && (event.ctrlKey || event.metaKey) && view.current?.selected.active.row === 0) props.onLeave();
      }}
    />
  );
}

function copiedText(cells: number): string {
  return cells === 1 ? "The cell is copied" : `${cells.toLocaleString("en-US")} cells are copied`;
}
