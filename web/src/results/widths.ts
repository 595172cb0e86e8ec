import type { Cell, ResultColumn } from "./source.ts";

/** Widths of characters in the cells' font and the header's, in pixels. */
export interface CharacterWidths {
  readonly cell: number;
  readonly name: number;
  readonly type: number;
}

/** Space at both sides, the line, and what a font's rounding takes. */
const PADDING = 19;
const LEAST = 48;
const MOST = 320;
/** Room for a key before a name, or the sign of NULL behind a type. */
const SIGN = 16;

/** How wide a column opens: enough for its head and, where it is a number, for every value that is known. */
export function widthOf(column: ResultColumn, cells: Iterable<Cell>, widths: CharacterWidths): number {
  let characters = 0;
  for (const cell of cells) {
    const shown = cell.state === "null" ? 4 : cell.text === "" ? 5 : cell.text.length;
    const size = cell.state === "cut" ? 9 : cell.state === "undecodable" ? 3 : 0;
    characters = Math.max(characters, shown + size);
  }
  const name = column.name.length * widths.name + (column.isKey ? SIGN : 0);
  const type = column.type.length * widths.type + (column.isNullable === true ? SIGN : 0);
  const content = characters * widths.cell;
  const wanted = Math.max(name, type, content) + PADDING;
  // Digits that are cut off are another number.
  const most = column.isNumber ? Math.max(MOST, content + PADDING) : MOST;
  return Math.ceil(Math.max(LEAST, Math.min(most, wanted)));
}

/** How wide the column of row numbers is. */
export function gutterOf(rowCount: number): number {
  const digits = rowCount.toLocaleString("en-US").length;
  return Math.max(44, Math.ceil(digits * 6.7) + 20);
}
