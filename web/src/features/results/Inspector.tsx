import { useEffect, useMemo, useState } from "react";
import type { StatementResult } from "../../gen/core/v1/result_pb.ts";
import { layoutOf } from "../../results/column_layout.ts";
import { STANDARD_SQL } from "../../results/copy.ts";
import { CoreSource } from "../../results/core_source.ts";
import { bytesText } from "../../results/grid_cells.ts";
import { jsonTree } from "../../results/json_tree.ts";
import type { Place } from "../../results/selection.ts";
import type { ResultColumn, RowWindow } from "../../results/source.ts";
import { copyCells } from "../../state/copying.ts";
import { type Inspected, readInspected } from "../../state/inspect.ts";
import { Button } from "../../ui/Button.tsx";
import { Resizer } from "../../ui/Resizer.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { CellView } from "./CellView.tsx";
import { ColumnFactsView } from "./ColumnFactsView.tsx";
import { JsonTree } from "./JsonTree.tsx";
import { RowList } from "./RowList.tsx";

interface InspectorProps {
  readonly resultId: string;
  readonly statement: StatementResult;
  readonly view: number;
  /** The active cell, by its column in the result. */
  readonly place: Place;
  readonly columns: readonly ResultColumn[];
  /** It covers rows, and is closed like what covers a page. */
  readonly liesOver: boolean;
  readonly onClose: () => void;
}

type Face = "row" | "cell" | "column";

/** Time that a cell stays the active one before its value is read: arrows pass many. */
const PAUSE_MS = 80;

/** A row, a cell or a column in full. */
export function Inspector({ resultId, statement, view, place, columns, liesOver, onClose }: InspectorProps) {
  const app = useApp();
  const width = usePart(app.layout, (layout) => layout.inspectorWidth);
  const [face, setFace] = useState<Face>("row");
  const [seen, setSeen] = useState<Inspected>();
  const [failed, setFailed] = useState<{ readonly place: Inspected["place"]; readonly why: string }>();
  const [tries, setTries] = useState(0);
  const column = columns[place.column];
  const number = statement.statement;

  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const at = { resultId, statement: number, view, row: BigInt(place.row), column: place.column };
        setSeen(await readInspected(app.core, at, stop.signal));
        setFailed(undefined);
      } catch (error) {
        const problem = app.link.hear(error);
        if (problem !== undefined && !stop.signal.aborted) setFailed({ place: { view, ...place }, why: problem.message });
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [app, resultId, number, view, place.row, place.column, tries]);

  /** What is shown may be the beginning alone; what is copied is all of it. */
  const copy = () => {
    const source = new CoreSource(app.core, { resultId, statement: number, view }, columns);
    const [left, right] = face === "cell" ? [place.column, place.column] : [0, columns.length - 1];
    const range = { top: place.row, bottom: place.row, left, right };
    void copyCells(app, resultId, source, range, layoutOf(columns.length), face === "cell" ? "tsv" : "record", STANDARD_SQL);
  };
  // The same number is another row once rows are sorted or filtered.
  const isHere = (at: Inspected["place"] | undefined) => at?.view === view && at.row === place.row;
  const row = isHere(seen?.place) ? seen?.row : undefined;
  const why = isHere(failed?.place) && failed?.place.column === place.column ? failed.why : undefined;
  const hasCell = seen !== undefined && column !== undefined && isHere(seen.place) && seen.place.column === place.column;
  // A value that a line cannot show stands below its row.
  const isLong = hasCell && seen.cell.state !== "null" && (column.family === "json" || column.family === "binary" || seen.cell.fullBytes > 120n);
  const json = useMemo(() => (row?.first === place.row ? jsonOf(row, place.row, columns) : undefined), [row, place.row, columns]);
  return (
    <aside
      className={liesOver ? "inspector over" : "inspector"}
      aria-label="Inspector"
      style={{ width }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !liesOver) return;
        event.stopPropagation();
        onClose();
      }}
    >
      <Resizer
        label="Width of the inspector"
        axis="x"
        className="inspector-edge"
        value={width}
        least={200}
        most={720}
        step={16}
        isReversed
        valueAt={(event) => (event.currentTarget.parentElement?.getBoundingClientRect().right ?? 0) - event.clientX}
        onChange={(inspectorWidth) => app.layout.setState({ inspectorWidth })}
      />
      <div className="bar thin">
        <Segments<Face>
          label="What is shown"
          segments={[
            { value: "row", label: "Row" },
            { value: "cell", label: "Cell" },
            { value: "column", label: "Column" },
          ]}
          value={face}
          onChange={setFace}
        />
        <span className="grow" />
        {face !== "column" && <Button label="Copy" icon="copy" iconOnly onClick={copy} />}
        <Button label="Close" icon="close" iconOnly keys={liesOver ? "Esc" : undefined} onClick={onClose} />
      </div>
      {why !== undefined && face !== "column" && (
        <div className="reject" role="alert">
          <p className="msg">It could not be read: {why}</p>
          <div className="acts">
            <Button label="Try again" icon="refresh" look="line" onClick={() => setTries(tries + 1)} />
          </div>
        </div>
      )}
      {face === "row" && why === undefined && <RowList columns={columns} row={row} place={place} />}
      {(face !== "row" || isLong) && column !== undefined && (
        <div className={face === "row" ? "sub top" : "sub"}>
          <b>{column.name}</b>
          <span className="t">{column.type}</span>
          <span className="grow" />
          {face !== "column" && hasCell && <span className="where">{whereOf(seen, columns)}</span>}
        </div>
      )}
      {(face === "cell" || (face === "row" && isLong)) && hasCell && <CellView cell={seen.cell} column={{ ...column, family: seen.row?.cell(place.row, place.column).family ?? column.family }} />}
      {face === "row" && !isLong && json !== undefined && (
        <>
          <div className="sub top">
            <b>{json.column.name}</b>
            <span className="t">{json.column.type}</span>
            <span className="grow" />
            <span className="where">{bytesText(json.bytes)}</span>
          </div>
          <JsonTree node={json.node} />
        </>
      )}
      {face === "column" && column !== undefined && (
        <div className="facts-pane">
          <ColumnFactsView column={column} place={{ resultId, statement: number, view, column: place.column }} />
        </div>
      )}
    </aside>
  );
}

/** The first value of a row that is JSON and there as a whole: a line of the list shows its beginning alone. */
function jsonOf(row: RowWindow, at: number, columns: readonly ResultColumn[]) {
  for (const [index, column] of columns.entries()) {
    const cell = row.cell(at, index);
    if (cell.state !== "value" || (cell.family ?? column.family) !== "json") continue;
    const node = jsonTree(cell.text);
    if (node?.kind === "object" || node?.kind === "array") return { column, node, bytes: BigInt(new TextEncoder().encode(cell.text).length) };
  }
  return undefined;
}

/** Which row it is: by its number, and by its key where that is one column. */
function whereOf({ place, row }: Inspected, columns: readonly ResultColumn[]): string {
  const words = [`row ${(place.row + 1).toLocaleString("en-US")}`];
  const keys = columns.flatMap((column, index) => (column.isKey ? [index] : []));
  const [key] = keys;
  if (keys.length === 1 && key !== undefined && row?.first === place.row) words.push(`${columns[key]?.name ?? ""} ${row.cell(place.row, key).text}`);
  return words.join(" · ");
}
