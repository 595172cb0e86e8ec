import type { ColumnLayout } from "../results/column_layout.ts";
import { COPY_CELLS_MAX, type CopyFormat, copyTextOf, type SqlForm } from "../results/copy.ts";
import type { CoreSource } from "../results/core_source.ts";
import { readAll } from "../results/pages.ts";
import { cellCount, type Range } from "../results/selection.ts";
import type { RowWindow } from "../results/source.ts";
import { TooMuchText, wholeCells } from "../results/whole_cells.ts";
import { copyMade } from "../ui/clipboard.ts";
import type { App } from "./app.ts";

/** Cells on their way to the clipboard. */
export interface Copying {
  readonly resultId: string;
  readonly done: number;
  readonly all: number;
  readonly stop: () => void;
}

/** Puts the selected cells on the clipboard, with their whole values. */
export async function copyCells(
  app: App,
  resultId: string,
  source: CoreSource,
  range: Range,
  layout: ColumnLayout,
  format: CopyFormat,
  form: SqlForm,
): Promise<void> {
  const all = cellCount(range);
  if (all > COPY_CELLS_MAX) {
    app.toasts.fail("Too many cells for the clipboard", `Select at most ${COPY_CELLS_MAX.toLocaleString("en-US")}, or export the rows.`);
    return;
  }
  app.copying.getState().now?.stop();
  const stop = new AbortController();
  const { signal } = stop;
  const halt = () => stop.abort();
  const hear = (done: number) => {
    if (!signal.aborted) app.copying.setState({ now: { resultId, done, all, stop: halt } });
  };
  hear(0);
  const columns = layout.order.slice(range.left, range.right + 1);
  const part = source.part(columns, true);
  const within = { ...range, left: 0, right: columns.length - 1 };
  const whole = (row: number, column: number) => source.whole(row, columns[column] ?? 0, signal);
  let cut = 0;
  const rows = wholeCells(readAll(part, range.top, range.bottom, signal), within, whole);
  const text = copyTextOf(heard(rows, within, hear, () => cut++), within, part.columns, format, form);
  try {
    if (!(await copyMade(text))) return app.toasts.fail("The browser did not let the page copy", "Click into the page, and copy again.");
    const said = all === 1 ? "The cell is copied" : `${all.toLocaleString("en-US")} cells are copied`;
    if (cut === 0) app.toasts.say(said);
    else app.toasts.fail(said, `${cut === 1 ? "One value is" : `${cut.toLocaleString("en-US")} values are`} copied in part: the driver sent no more of ${cut === 1 ? "it" : "them"}.`);
  } catch (error) {
    if (signal.aborted) app.toasts.say("Nothing was copied: it was stopped");
    else if (error instanceof TooMuchText) app.toasts.fail("Too much text for the clipboard", "Select less, or export the rows.");
    else app.toasts.fail("Nothing was copied", app.link.hear(error)?.message ?? "");
  } finally {
    // Another one may have begun meanwhile.
    if (app.copying.getState().now?.stop === halt) app.copying.setState({ now: undefined });
  }
}

/** Tells how far it has come, and of cells that are there in part alone. */
async function* heard(
  windows: AsyncIterable<RowWindow>,
  { left, right }: Range,
  onDone: (cells: number) => void,
  onCut: () => void,
): AsyncGenerator<RowWindow> {
  let done = 0;
  for await (const window of windows) {
    for (let row = window.first; row < window.first + window.count; row++) {
      for (let column = left; column <= right; column++) if (window.cell(row, column).state === "cut") onCut();
    }
    yield window;
    done += window.count * (right - left + 1);
    onDone(done);
  }
}
