import type { ColumnLayout } from "../results/column_layout.ts";
import type { CoreSource } from "../results/core_source.ts";
import { readAll } from "../results/pages.ts";
import { cellCount, type Range } from "../results/selection.ts";
import { SUM_CELLS_MAX, sumOf, sumText } from "../results/selection_sum.ts";
import type { App } from "./app.ts";

const PAUSE_MS = 120;

/** Says in the status bar what the selected cells are together. */
export async function sumCells(app: App, source: CoreSource, range: Range, layout: ColumnLayout, signal: AbortSignal): Promise<void> {
  const cells = cellCount(range);
  const say = (text: string, exact = text) => {
    if (app.selected.getState().exact !== exact) app.selected.setState({ text, exact });
  };
  if (cells <= 1) return say("");
  say(`${cells.toLocaleString("en-US")} cells`);
  if (cells > SUM_CELLS_MAX) return;
  // A selection that is drawn by the pointer changes many times a second.
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  if (signal.aborted) return;
  try {
    const part = source.part(layout.order.slice(range.left, range.right + 1), false);
    const sum = await sumOf(readAll(part, range.top, range.bottom, signal), { ...range, left: 0, right: part.columns.length - 1 }, part.columns);
    if (!signal.aborted) say(sumText(sum), sumText(sum, String));
  } catch (error) {
    app.link.hear(error);
  }
}
