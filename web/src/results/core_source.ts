import { CellState as PbState, type Rows, type StatementResult } from "../gen/core/v1/result_pb.ts";
import { type Column, type ColumnFact, Display } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import { shortType } from "./type_family.ts";
import { type Cell, type CellState, type ResultColumn, type ResultSource, type RowWindow, windowOf } from "./source.ts";

/** Bytes of a cell that the grid asks for: more than a cell shows. */
export const CELL_BYTES = 512;
/** Bytes of a cell that is copied: as many as Core gives in a window. */
const WHOLE_BYTES = 1 << 20;

const FAMILIES: Readonly<Partial<Record<Display, ResultColumn["family"]>>> = {
  [Display.BOOL_T_F]: "boolean",
  [Display.BOOL_1_0]: "boolean",
  [Display.INTEGER]: "number",
  [Display.FLOAT_PG]: "number",
  [Display.FLOAT_POINT]: "number",
  [Display.DECIMAL]: "number",
  [Display.DATE_ISO]: "time",
  [Display.TIMESTAMP_ISO]: "time",
  [Display.TIMESTAMP_ISO_UTC]: "time",
  [Display.TIME]: "time",
  [Display.BYTES_HEX]: "binary",
  [Display.TEXT]: "text",
  [Display.JSON]: "json",
};

/** The columns of a statement as the grid shows them. */
export function columnsOf(statement: StatementResult): readonly ResultColumn[] {
  return statement.columns.map((column, index) => {
    const fact = statement.columnFacts.find((candidate) => candidate.column === index);
    const family = familyOf(column);
    return {
      name: column.name,
      type: shortType(column.databaseType),
      family,
      isNumber: family === "number",
      isKey: fact?.primaryKey === true,
      ...(fact?.nullable === undefined ? {} : { isNullable: fact.nullable }),
      ...(fact === undefined || fact.originTable === "" ? {} : { table: tableOf(fact) }),
    };
  });
}

function tableOf({ originSchema, originTable }: ColumnFact): readonly string[] {
  return originSchema === "" ? [originTable] : [originSchema, originTable];
}

function familyOf({ display }: Pick<Column, "display">): ResultColumn["family"] {
  return FAMILIES[display] ?? "other";
}

/** Rows of a kept result, read from Core window by window. */
export class CoreSource implements ResultSource {
  constructor(
    private readonly core: Core,
    private readonly resultId: string,
    private readonly statement: number,
    readonly columns: readonly ResultColumn[],
    /** The view that is read. 0: the statement's own rows. */
    private readonly view = 0,
    private readonly cellBytes = CELL_BYTES,
  ) {}

  /** The same rows, for somebody who needs their values and not only what a cell shows. */
  whole(): ResultSource {
    return new CoreSource(this.core, this.resultId, this.statement, this.columns, this.view, WHOLE_BYTES);
  }

  async read(first: number, count: number, signal: AbortSignal): Promise<RowWindow> {
    const { rows } = await this.core.results.readRows(
      {
        resultId: this.resultId,
        statement: this.statement,
        view: this.view,
        firstRow: BigInt(first),
        rowCount: count,
        cellBytesMax: this.cellBytes,
      },
      { signal },
    );
    return rows === undefined ? windowOf(first, this.columns.length, [], new Map(), 0) : windowOfRows(rows);
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
      const cut = mark.state === PbState.CUT ? { fullBytes: mark.fullSizeBytes } : {};
      const kind = mark.display === Display.UNSPECIFIED ? {} : { family: familyOf(mark) };
      return [mark.index, { text, state: STATES[mark.state], ...cut, ...kind }];
    }),
  );
  return windowOf(Number(rows.firstRow), rows.columnCount, rows.texts, special, Number(rows.rowsSoFar));
}
