import { type Cell, type ResultColumn, type ResultSource, windowOf } from "./source.ts";

/** Rows that are made up as they are read: for tests of the grid. */
export class MemorySource implements ResultSource {
  readonly reads: { readonly first: number; readonly count: number }[] = [];

  constructor(
    readonly columns: readonly ResultColumn[],
    private readonly rows: number,
    private readonly cell: (row: number, column: number) => Cell = (row, column) => ({ text: `${row}/${column}`, state: "value" }),
    /** Whether answers wait until `release` is called. */
    private readonly isHeld = false,
    /** Rows of an answer at most. */
    private readonly answerMax = Number.POSITIVE_INFINITY,
  ) {}

  private held: (() => void)[] = [];

  release(): void {
    const held = this.held;
    this.held = [];
    for (const answer of held) answer();
  }

  async read(first: number, count: number, signal: AbortSignal) {
    this.reads.push({ first, count });
    if (this.isHeld) await new Promise<void>((resolve) => this.held.push(resolve));
    signal.throwIfAborted();
    const there = Math.max(0, Math.min(count, this.answerMax, this.rows - first));
    const texts: string[] = [];
    const special = new Map<number, Cell>();
    for (let row = first; row < first + there; row++) {
      for (let column = 0; column < this.columns.length; column++) {
        const cell = this.cell(row, column);
        if (cell.state !== "value" || cell.family !== undefined) special.set(texts.length, cell);
        texts.push(cell.text);
      }
    }
    return windowOf(first, this.columns.length, texts, special, this.rows);
  }
}
