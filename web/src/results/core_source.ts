import { CellState as PbState, type Rows } from "../gen/core/v1/result_pb.ts";
import { Display } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import { familyOf } from "./columns.ts";
import { type Cell, type CellState, type ResultColumn, type ResultSource, type RowWindow, windowOf } from "./source.ts";

/** Bytes of a cell that the grid asks for: more than a cell shows. */
export const CELL_BYTES = 512;
/** Bytes of a cell that is copied: as many as Core gives in a window. */
const WHOLE_BYTES = 1 << 20;

/** Where rows are kept. */
export interface RowsPlace {
  readonly resultId: string;
  readonly statement: number;
  /** 0: the statement's own rows. */
  readonly view: number;
}

/** Rows of a kept result, read from Core window by window. */
export class CoreSource implements ResultSource {
  constructor(
    private readonly core: Core,
    private readonly place: RowsPlace,
    private known: readonly ResultColumn[],
    /** The columns that are read, by their number in the result. Absent: all. */
    private readonly wanted?: readonly number[],
    private readonly cellBytes = CELL_BYTES,
  ) {}

  get columns(): readonly ResultColumn[] {
    return this.known;
  }

  /** Takes what has become known of the columns. */
  know(columns: readonly ResultColumn[]): void {
    this.known = columns;
  }

  /** The same rows with some of their columns. `isWhole`: for somebody who needs their values and not only what a cell shows. */
  part(columns: readonly number[], isWhole: boolean): ResultSource {
    const known = columns.flatMap((column) => this.known[column] ?? []);
    return new CoreSource(this.core, this.place, known, columns, isWhole ? WHOLE_BYTES : this.cellBytes);
  }

  /** A cell as a whole, as far as Core has it. */
  async whole(row: number, column: number, signal: AbortSignal): Promise<Cell> {
    const texts: string[] = [];
    let [state, fullBytes]: [CellState, bigint] = ["value", 0n];
    for await (const piece of this.core.results.readCell({ ...this.place, row: BigInt(row), column }, { signal })) {
      texts.push(piece.text);
      state = STATES[piece.state];
      fullBytes = piece.fullSizeBytes;
    }
    return { text: texts.join(""), state, ...(state === "cut" ? { fullBytes } : {}) };
  }

  async read(first: number, count: number, signal: AbortSignal): Promise<RowWindow> {
    const asked = { ...this.place, firstRow: BigInt(first), rowCount: count, cellBytesMax: this.cellBytes, columns: [...(this.wanted ?? [])] };
    const { rows } = await this.core.results.readRows(asked, { signal });
    return rows === undefined ? windowOf(first, this.known.length, [], new Map(), 0) : windowOfRows(rows);
  }
}

const STATES: Readonly<Record<PbState, CellState>> = {
  [PbState.UNSPECIFIED]: "value",
  [PbState.VALUE]: "value",
  [PbState.NULL]: "null",
  [PbState.UNDECODABLE]: "undecodable",
  [PbState.CUT]: "cut",
};

export function windowOfRows(rows: Rows): RowWindow {
  const special = new Map<number, Cell>(
    rows.marks.map((mark) => {
      const text = rows.texts[mark.index] ?? "";
      const cut = mark.state === PbState.CUT ? { fullBytes: mark.fullSizeBytes, ...(hasMore(text, mark.textBytes) ? { isPart: true as const } : {}) } : {};
      const kind = mark.display === Display.UNSPECIFIED ? {} : { family: familyOf(mark) };
      return [mark.index, { text, state: STATES[mark.state], ...cut, ...kind }];
    }),
  );
  return windowOf(Number(rows.firstRow), rows.columnCount, rows.texts, special, Number(rows.rowsSoFar));
}

const UTF8 = new TextEncoder();

/** Whether Core has more of a cell's text than this. */
function hasMore(text: string, textBytes: bigint): boolean {
  // A unit of UTF-16 is three bytes at most: most texts need not be counted.
  return textBytes > BigInt(text.length * 3) || textBytes > BigInt(UTF8.encode(text).length);
}
