import type { Cell, RowWindow } from "./source.ts";
import type { Range } from "./selection.ts";

/** Cells that go to the clipboard at most: beyond it an export is the better way. */
export const COPY_CELLS_MAX = 500_000;

/** Rows as text between tabs, as spreadsheets and editors take it. A single cell is its text alone. */
export async function tsvOf(
  windows: AsyncIterable<RowWindow>,
  range: Range,
  names: readonly string[] | undefined,
): Promise<string> {
  const lines: string[] = names === undefined ? [] : [names.map(quotedTsv).join("\t")];
  const isSingle = range.top === range.bottom && range.left === range.right && names === undefined;
  for await (const window of windows) {
    for (let row = window.first; row < window.first + window.count; row++) {
      const texts: string[] = [];
      for (let column = range.left; column <= range.right; column++) {
        const text = textOf(window.cell(row, column));
        texts.push(isSingle ? text : quotedTsv(text));
      }
      lines.push(texts.join("\t"));
    }
  }
  return lines.join("\n");
}

function textOf(cell: Cell): string {
  return cell.state === "null" ? "" : cell.text;
}

/** Quotes around a text that would be taken for several cells. */
function quotedTsv(text: string): string {
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
