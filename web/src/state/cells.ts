import type { ColumnLayout } from "../results/column_layout.ts";
import { COPY_CELLS_MAX, type CopyFormat, copyTextOf, type SqlForm } from "../results/copy.ts";
import type { CoreSource } from "../results/core_source.ts";
import { readAll } from "../results/pages.ts";
import { cellCount, type Range } from "../results/selection.ts";
import { SUM_CELLS_MAX, sumOf, sumText } from "../results/selection_sum.ts";
import type { ResultSource, RowWindow } from "../results/source.ts";
import { copyText } from "../ui/clipboard.ts";
import type { App } from "./app.ts";

/** The rows with the columns as they are shown. */
function arranged(source: ResultSource, { order }: ColumnLayout): ResultSource {
  return {
    columns: order.flatMap((column) => source.columns[column] ?? []),
    async read(first, count, signal): Promise<RowWindow> {
      const window = await source.read(first, count, signal);
      return { ...window, cell: (row, column) => window.cell(row, order[column] ?? 0) };
    },
  };
}

/** Puts the selected cells on the clipboard, with their whole values. */
export async function copyCells(app: App, source: CoreSource, range: Range, layout: ColumnLayout, format: CopyFormat, form: SqlForm): Promise<void> {
  const cells = cellCount(range);
  if (cells > COPY_CELLS_MAX) {
    app.toasts.fail("Too many cells for the clipboard", `Select at most ${COPY_CELLS_MAX.toLocaleString("en-US")}, or export the rows.`);
    return;
  }
  try {
    const whole = arranged(source.whole(), layout);
    let cut = 0;
    const rows = counted(readAll(whole, range.top, range.bottom, new AbortController().signal), range, () => cut++);
    const text = await copyTextOf(rows, range, whole.columns, format, form);
    if (!(await copyText(text))) return app.toasts.fail("The browser did not let the page copy", "");
    const said = cells === 1 ? "The cell is copied" : `${cells.toLocaleString("en-US")} cells are copied`;
    if (cut > 0) app.toasts.fail(said, `${cut.toLocaleString("en-US")} of them only in part, for they are too long.`);
    else app.toasts.say(said);
  } catch (error) {
    app.toasts.fail("Nothing was copied", app.link.hear(error)?.message ?? "");
  }
}

/** Tells of cells that came in part. */
async function* counted(windows: AsyncIterable<RowWindow>, range: Range, onCut: () => void): AsyncGenerator<RowWindow> {
  for await (const window of windows) {
    for (let row = window.first; row < window.first + window.count; row++) {
      for (let column = range.left; column <= range.right; column++) if (window.cell(row, column).state === "cut") onCut();
    }
    yield window;
  }
}

const PAUSE_MS = 120;

/** Says in the status bar what the selected cells are together. */
export async function sumCells(app: App, source: CoreSource, range: Range, layout: ColumnLayout, signal: AbortSignal): Promise<void> {
  const cells = cellCount(range);
  const say = (text: string) => {
    if (app.selected.getState().text !== text) app.selected.setState({ text });
  };
  if (cells <= 1) return say("");
  say(`${cells.toLocaleString("en-US")} cells`);
  if (cells > SUM_CELLS_MAX) return;
  // A selection that is drawn by the pointer changes many times a second.
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  if (signal.aborted) return;
  try {
    const shown = arranged(source, layout);
    const sum = await sumOf(readAll(shown, range.top, range.bottom, signal), range, shown.columns);
    if (!signal.aborted) say(sumText(sum));
  } catch (error) {
    app.link.hear(error);
  }
}
