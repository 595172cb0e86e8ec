import type { Place } from "../../results/selection.ts";
import type { Cell, ResultColumn, RowWindow } from "../../results/source.ts";

interface RowListProps {
  readonly columns: readonly ResultColumn[];
  readonly row: RowWindow | undefined;
  readonly place: Place;
}

/** A row, a line for each of its columns. */
export function RowList({ columns, row, place }: RowListProps) {
  return (
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
  );
}

function Value({ cell }: { readonly cell: Cell }) {
  if (cell.state === "null") return <span className="null">NULL</span>;
  if (cell.state === "value" && cell.text === "") return <span className="empty">empty</span>;
  return <>{cell.text}</>;
}
