/** What a cell is, beyond its text. */
export type CellState = "value" | "null" | "undecodable" | "cut";

export interface Cell {
  /** As people read it. Empty for NULL. */
  readonly text: string;
  readonly state: CellState;
  /** Of a cut value: its whole size in bytes. */
  readonly fullBytes?: bigint;
  /** Of a cut value: more of it is kept than is here. */
  readonly isPart?: true;
  /** What kind of value it is, where that is not its column's. */
  readonly family?: ResultColumn["family"];
}

/** How a column looks: which way its values align, which color its type has. */
export interface ResultColumn {
  readonly name: string;
  readonly type: string;
  readonly family: "number" | "text" | "boolean" | "time" | "json" | "binary" | "other";
  readonly isNumber: boolean;
  readonly isKey: boolean;
  /** Absent: not known. */
  readonly isNullable?: boolean;
  /** Absent: it is computed, or not known. */
  readonly origin?: Origin;
  /** Its values have an order of their own, which Core does not know: they sort and compare as text. */
  readonly ordersAsText?: true;
}

/** Where a column of a result comes from. */
export interface Origin {
  /** The table, with its schema before it where that is known. */
  readonly table: readonly string[];
  /** The column of that table. Empty: not known. */
  readonly column: string;
}

/** Some rows that were read together. */
export interface RowWindow {
  readonly first: number;
  readonly count: number;
  /** Rows that are there in all, when this was read. */
  readonly rowsSoFar: number;
  readonly cell: (row: number, column: number) => Cell;
}

/** Rows to be read at any place. */
export interface ResultSource {
  readonly columns: readonly ResultColumn[];
  /** Reads rows from `first` on. There may be fewer than asked for. */
  read(first: number, count: number, signal: AbortSignal): Promise<RowWindow>;
}

const NOTHING: Cell = { text: "", state: "value" };

/** A window over texts that stand row by row, with the cells that are special by their index. */
export function windowOf(
  first: number,
  columns: number,
  texts: readonly string[],
  special: ReadonlyMap<number, Cell>,
  rowsSoFar: number,
): RowWindow {
  return {
    first,
    count: columns === 0 ? 0 : Math.floor(texts.length / columns),
    rowsSoFar,
    cell(row, column) {
      const index = (row - first) * columns + column;
      const text = texts[index];
      return special.get(index) ?? (text === undefined ? NOTHING : { text, state: "value" });
    },
  };
}
