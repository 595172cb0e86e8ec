import { useEffect, useState } from "react";
import type { StatementResult } from "../../gen/core/v1/result_pb.ts";
import { columnsOf, windowOfRows } from "../../results/core_source.ts";
import { bytesText } from "../../results/grid_cells.ts";
import { type CellText, readCell } from "../../results/read_cell.ts";
import type { Place } from "../../results/selection.ts";
import type { Cell, RowWindow } from "../../results/source.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/clipboard.ts";
import { Segments } from "../../ui/Segments.tsx";
import { useApp } from "../AppContext.ts";

interface InspectorProps {
  readonly resultId: string;
  readonly statement: StatementResult;
  readonly place: Place;
  readonly onClose: () => void;
}

type Face = "row" | "cell";

/** Time that a cell stays the active one before its value is read: arrows pass many. */
const PAUSE_MS = 80;

/** A row or a cell in full. */
export function Inspector({ resultId, statement, place, onClose }: InspectorProps) {
  const app = useApp();
  const [face, setFace] = useState<Face>("row");
  const [row, setRow] = useState<RowWindow>();
  const [cell, setCell] = useState<CellText>();
  const columns = columnsOf(statement);
  const column = columns[place.column];

  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      const asked = { resultId, statement: statement.statement };
      try {
        if (face === "row") {
          const answer = await app.core.results.readRows(
            { ...asked, firstRow: BigInt(place.row), rowCount: 1, cellBytesMax: 256 },
            { signal: stop.signal },
          );
          if (answer.rows !== undefined) setRow(windowOfRows(answer.rows));
        } else {
          setCell(undefined);
          setCell(await readCell(app.core, { ...asked, row: BigInt(place.row), column: place.column }, stop.signal));
        }
      } catch (error) {
        app.link.hear(error);
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [app, resultId, statement.statement, place.row, place.column, face]);

  const copy = async () => {
    const text =
      face === "cell"
        ? (cell?.text ?? "")
        : columns.map(({ name }, index) => `${name}\t${row?.cell(place.row, index).text ?? ""}`).join("\n");
    if (await copyText(text)) app.toasts.say(face === "cell" ? "The value is copied" : "The row is copied");
  };
  return (
    <aside className="inspector" aria-label="Inspector">
      <div className="bar thin">
        <Segments<Face>
          label="What is shown"
          segments={[
            { value: "row", label: "Row" },
            { value: "cell", label: "Cell" },
          ]}
          value={face}
          onChange={setFace}
        />
        <span className="grow" />
        <Button label="Copy" icon="copy" iconOnly onClick={() => void copy()} />
        <Button label="Close" icon="close" iconOnly onClick={onClose} />
      </div>
      {face === "row" && (
        <dl className="kv">
          {columns.map((head, index) => {
            const shown = row?.first === place.row ? row.cell(place.row, index) : undefined;
            return (
              <div key={index} className={index === place.column ? "on" : ""}>
                <dt title={`${head.name} ${head.type}`}>{head.name}</dt>
                <dd title={shown?.text}>{shown !== undefined && <Value cell={shown} />}</dd>
              </div>
            );
          })}
        </dl>
      )}
      {face === "cell" && column !== undefined && (
        <>
          <div className="sub">
            <b>{column.name}</b>
            <span className="t">{column.type}</span>
            <span className="grow" />
            {cell !== undefined && cell.state !== "null" && <span className="where">{bytesText(cell.fullBytes)}</span>}
          </div>
          <CellValue cell={cell} isJson={column.family === "json"} />
        </>
      )}
    </aside>
  );
}

function Value({ cell }: { readonly cell: Cell }) {
  if (cell.state === "null") return <span className="null">NULL</span>;
  if (cell.state === "value" && cell.text === "") return <span className="empty">empty</span>;
  return <>{cell.text}</>;
}

function CellValue({ cell, isJson }: { readonly cell: CellText | undefined; readonly isJson: boolean }) {
  if (cell === undefined) return null;
  if (cell.state === "null") {
    return (
      <p className="long">
        <span className="null">NULL</span>
      </p>
    );
  }
  return (
    <>
      <pre className={isJson ? "json long" : "long wraps"} tabIndex={0}>
        {cell.state === "value" && cell.text === "" ? <span className="empty">empty</span> : cell.text}
      </pre>
      {(cell.isPart || cell.state !== "value") && (
        <p className="sub top">
          {cell.state === "undecodable" ? "These bytes are no text in the database's encoding." : `The first ${bytesText(cell.shownBytes)} of ${bytesText(cell.fullBytes)}.`}
        </p>
      )}
    </>
  );
}
