import { useEffect, useState } from "react";
import type { StatementResult } from "../../gen/core/v1/result_pb.ts";
import { bytesText } from "../../results/grid_cells.ts";
import type { Place } from "../../results/selection.ts";
import type { ResultColumn } from "../../results/source.ts";
import { type Inspected, readInspected } from "../../state/inspect.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/clipboard.ts";
import { Resizer } from "../../ui/Resizer.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { CellView } from "./CellView.tsx";
import { ColumnFactsView } from "./ColumnFactsView.tsx";
import { RowList } from "./RowList.tsx";

interface InspectorProps {
  readonly resultId: string;
  readonly statement: StatementResult;
  readonly view: number;
  /** The active cell, by its column in the result. */
  readonly place: Place;
  readonly columns: readonly ResultColumn[];
  readonly onClose: () => void;
}

type Face = "row" | "cell" | "column";

/** Time that a cell stays the active one before its value is read: arrows pass many. */
const PAUSE_MS = 80;

/** A row, a cell or a column in full. */
export function Inspector({ resultId, statement, view, place, columns, onClose }: InspectorProps) {
  const app = useApp();
  const width = usePart(app.layout, (layout) => layout.inspectorWidth);
  const [face, setFace] = useState<Face>("row");
  const [seen, setSeen] = useState<Inspected>();
  const column = columns[place.column];
  const number = statement.statement;

  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const at = { resultId, statement: number, view, row: BigInt(place.row), column: place.column };
        setSeen(await readInspected(app.core, at, stop.signal));
      } catch (error) {
        app.link.hear(error);
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [app, resultId, number, view, place.row, place.column]);

  const copy = async () => {
    if (seen === undefined) return;
    const text = face === "cell" ? seen.cell.text : columns.map(({ name }, index) => `${name}\t${seen.row?.cell(place.row, index).text ?? ""}`).join("\n");
    if (await copyText(text)) app.toasts.say(face === "cell" ? "The value is copied" : "The row is copied");
    else app.toasts.fail("The browser did not let the page copy", "");
  };
  const hasCell = seen !== undefined && column !== undefined && seen.place.row === place.row && seen.place.column === place.column;
  // A value that a line cannot show stands below its row.
  const isLong = hasCell && seen.cell.state !== "null" && (column.family === "json" || column.family === "binary" || seen.cell.fullBytes > 120n);
  return (
    <aside className="inspector" aria-label="Inspector" style={{ width }}>
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
        {face !== "column" && <Button label="Copy" icon="copy" iconOnly onClick={() => void copy()} />}
        <Button label="Close" icon="close" iconOnly onClick={onClose} />
      </div>
      {face === "row" && <RowList columns={columns} row={seen?.row} place={place} />}
      {(face !== "row" || isLong) && column !== undefined && (
        <div className={face === "row" ? "sub top" : "sub"}>
          <b>{column.name}</b>
          <span className="t">{column.type}</span>
          <span className="grow" />
          {face !== "column" && hasCell && seen.cell.state !== "null" && <span className="where">{bytesText(seen.cell.fullBytes)}</span>}
        </div>
      )}
      {(face === "cell" || (face === "row" && isLong)) && hasCell && <CellView cell={seen.cell} column={{ ...column, family: seen.row?.cell(place.row, place.column).family ?? column.family }} />}
      {face === "column" && column !== undefined && (
        <div className="facts-pane">
          <ColumnFactsView column={column} place={{ resultId, statement: number, view, column: place.column }} />
        </div>
      )}
    </aside>
  );
}
