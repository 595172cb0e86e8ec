import type { Cell, RowWindow } from "./source.ts";
import type { Range } from "./selection.ts";

/** Characters that are gathered at most: a page with more than that in its hands stands still. */
export const GATHERED_MAX = 64 << 20;

/** More text than a page can hold. */
export class TooMuchText extends Error {}

/**
 * Gives windows of which no cell is cut that Core has as a whole: such cells are read one by one.
 *
 * A window has only the beginning of a long value, and of a very long row.
 */
export async function* wholeCells(
  windows: AsyncIterable<RowWindow>,
  { left, right }: Pick<Range, "left" | "right">,
  whole: (row: number, column: number) => Promise<Cell>,
  gatheredMax = GATHERED_MAX,
): AsyncGenerator<RowWindow> {
  let gathered = 0;
  const gather = (cell: Cell) => {
    gathered += cell.text.length;
    if (gathered > gatheredMax) throw new TooMuchText();
  };
  for await (const window of windows) {
    const long = new Map<string, Cell>();
    for (let row = window.first; row < window.first + window.count; row++) {
      for (let column = left; column <= right; column++) {
        const cell = window.cell(row, column);
        if (cell.isPart !== true) gather(cell);
        else {
          const { family } = cell;
          const read = { ...(await whole(row, column)), ...(family === undefined ? {} : { family }) };
          gather(read);
          long.set(`${row} ${column}`, read);
        }
      }
    }
    yield long.size === 0 ? window : { ...window, cell: (row, column) => long.get(`${row} ${column}`) ?? window.cell(row, column) };
  }
}
