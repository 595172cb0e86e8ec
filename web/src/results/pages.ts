import type { Cell, ResultSource, RowWindow } from "./source.ts";

/** Rows that are read together. */
export const PAGE_ROWS = 200;
/** Pages that are kept: some screens in each direction, whatever the result's length. */
const PAGES_MAX = 24;
/** Reads that run at once: a browser has few connections, and one of them is for events. */
const READS_MAX = 2;

/** Keeps the rows around those in sight, and reads what is missing. */
export class Pages {
  private readonly kept = new Map<number, RowWindow>();
  private readonly reading = new Map<number, AbortController>();
  private wanted: readonly number[] = [];
  private isClosed = false;

  constructor(
    private readonly source: ResultSource,
    private rowCount: number,
    private readonly heard: { readonly onRows: () => void; readonly onFailure: (error: unknown) => void },
  ) {}

  /** A cell, if its row was read. */
  cell(row: number, column: number): Cell | undefined {
    const page = this.kept.get(Math.floor(row / PAGE_ROWS));
    return page === undefined || row >= page.first + page.count ? undefined : page.cell(row, column);
  }

  has(row: number): boolean {
    const page = this.kept.get(Math.floor(row / PAGE_ROWS));
    return page !== undefined && row < page.first + page.count;
  }

  /** Rows from the first on that were read, of the first page. */
  get beginning(): number {
    return this.kept.get(0)?.count ?? 0;
  }

  /** Takes rows that came along with another answer. */
  put(window: RowWindow): void {
    if (window.first % PAGE_ROWS === 0 && window.count <= PAGE_ROWS) this.keep(window.first / PAGE_ROWS, window);
  }

  /** Says how many rows there are now. */
  setRowCount(rowCount: number): void {
    this.rowCount = rowCount;
    this.pump();
  }

  /** Says which rows are in sight. `direction`: which way they move, for what is read ahead. */
  want(first: number, last: number, direction: -1 | 0 | 1): void {
    const [from, to] = [Math.floor(first / PAGE_ROWS), Math.floor(Math.max(first, last) / PAGE_ROWS)];
    const pages = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const ahead = direction < 0 ? [from - 1, to + 1] : [to + 1, from - 1];
    this.wanted = [...pages, ...ahead].filter((page) => page >= 0);
    for (const [page, stop] of this.reading) {
      // What was passed by is not waited for.
      if (!this.wanted.includes(page)) {
        stop.abort();
        this.reading.delete(page);
      }
    }
    this.pump();
  }

  close(): void {
    this.isClosed = true;
    for (const stop of this.reading.values()) stop.abort();
    this.reading.clear();
  }

  private pump(): void {
    for (const page of this.wanted) {
      if (this.isClosed || this.reading.size >= READS_MAX) return;
      if (this.isMissing(page)) void this.read(page);
    }
  }

  private isMissing(page: number): boolean {
    const rows = Math.min(PAGE_ROWS, this.rowCount - page * PAGE_ROWS);
    return rows > 0 && !this.reading.has(page) && (this.kept.get(page)?.count ?? 0) < rows;
  }

  private async read(page: number): Promise<void> {
    const stop = new AbortController();
    this.reading.set(page, stop);
    try {
      // An answer has fewer rows than were asked for when there are no more yet, or when they are long.
      const before = this.kept.get(page);
      const there = before?.count ?? 0;
      const window = await this.source.read(page * PAGE_ROWS + there, PAGE_ROWS - there, stop.signal);
      if (stop.signal.aborted) return;
      this.reading.delete(page);
      // A page that has no more than before would be asked for again at once, and for ever.
      if (window.count === 0) return;
      this.keep(page, before === undefined ? window : joined(before, window));
      this.heard.onRows();
      this.pump();
    } catch (error) {
      if (stop.signal.aborted) return;
      this.reading.delete(page);
      this.heard.onFailure(error);
    }
  }

  private keep(page: number, window: RowWindow): void {
    // The map's order is that of use: what was kept last goes last.
    this.kept.delete(page);
    this.kept.set(page, window);
    for (const old of this.kept.keys()) {
      if (this.kept.size <= PAGES_MAX) break;
      if (!this.wanted.includes(old)) this.kept.delete(old);
    }
  }
}

/** Rows and those that follow them, as one. */
function joined(before: RowWindow, after: RowWindow): RowWindow {
  const end = before.first + before.count;
  return {
    first: before.first,
    count: before.count + after.count,
    rowsSoFar: after.rowsSoFar,
    cell: (row, column) => (row < end ? before : after).cell(row, column),
  };
}

/** Reads rows in order for somebody who needs them all. */
export async function* readAll(source: ResultSource, first: number, last: number, signal: AbortSignal): AsyncGenerator<RowWindow> {
  for (let row = first; row <= last; ) {
    const window = await source.read(row, Math.min(10_000, last - row + 1), signal);
    if (window.count === 0) return;
    yield window;
    row += window.count;
  }
}
