import { windowOfRows } from "../results/core_source.ts";
import { type CellPlace, type CellText, readCell } from "../results/read_cell.ts";
import type { RowWindow } from "../results/source.ts";
import type { Core } from "../transport/core.ts";

/** A row in short and a cell of it in full. */
export interface Inspected {
  readonly place: Pick<CellPlace, "view" | "column"> & { readonly row: number };
  readonly row: RowWindow | undefined;
  readonly cell: CellText;
}

const ROW_CELL_BYTES = 1024;

export async function readInspected(core: Core, place: CellPlace, signal: AbortSignal): Promise<Inspected> {
  const { resultId, statement, view } = place;
  const [{ rows }, cell] = await Promise.all([
    core.results.readRows({ resultId, statement, view, firstRow: place.row, rowCount: 1, cellBytesMax: ROW_CELL_BYTES }, { signal }),
    readCell(core, place, signal, false),
  ]);
  return { place: { view, row: Number(place.row), column: place.column }, row: rows === undefined ? undefined : windowOfRows(rows), cell };
}
