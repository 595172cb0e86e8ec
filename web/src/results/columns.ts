import type { StatementResult } from "../gen/core/v1/result_pb.ts";
import { type Column, type ColumnFact, Display } from "../gen/plugin/v1/plugin_pb.ts";
import type { Origin, ResultColumn } from "./source.ts";
import { shortType, typeFamily } from "./type_family.ts";

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
  [Display.TIME_ZONED]: "text",
  [Display.INTERVAL]: "text",
  [Display.MONEY]: "text",
  [Display.BYTES_HEX]: "binary",
  [Display.TEXT]: "text",
  [Display.JSON]: "json",
};

export function familyOf({ display }: Pick<Column, "display">): ResultColumn["family"] {
  return FAMILIES[display] ?? "other";
}

/** The columns of a statement as the grid shows them, with what is known of them by now. */
export function columnsOf(statement: Pick<StatementResult, "columns" | "columnFacts">): readonly ResultColumn[] {
  const facts = new Map(statement.columnFacts.map((fact) => [fact.column, fact]));
  return statement.columns.map((column, index) => {
    const fact = facts.get(index);
    const family = familyOf(column);
    return {
      name: column.name,
      type: shortType(column.databaseType),
      family,
      isNumber: family === "number",
      isKey: fact?.primaryKey === true,
      ...(fact?.nullable === undefined ? {} : { isNullable: fact.nullable }),
      ...(fact === undefined || fact.originTable === "" ? {} : { origin: originOf(fact) }),
      ...(isOrderedAsText(column) ? { ordersAsText: true as const } : {}),
    };
  });
}

function originOf({ originSchema, originTable, originColumn }: ColumnFact): Origin {
  return { table: originSchema === "" ? [originTable] : [originSchema, originTable], column: originColumn };
}

/** Types whose values come as text and have an order of their own that text has not. */
const OTHER_ORDER: ReadonlySet<string> = new Set(["time", "number"]);

/** Core orders by the kind that a driver gives: an interval in another style than PostgreSQL's own comes as text, and so it is ordered. */
function isOrderedAsText({ display, databaseType }: Column): boolean {
  return display === Display.TEXT && OTHER_ORDER.has(typeFamily(databaseType));
}

/** The table that all of these columns come from. `undefined`: there is none, or it is not known. */
export function tableOf(columns: readonly ResultColumn[]): readonly string[] | undefined {
  const tables = new Set(columns.map(({ origin }) => (origin === undefined ? "" : JSON.stringify(origin.table))));
  return tables.size === 1 ? columns[0]?.origin?.table : undefined;
}

/** What there is to say of a column beside its name and type. */
export function wordsOf({ isKey, isNullable, origin, ordersAsText, name }: Omit<ResultColumn, "origin"> & { readonly origin?: Origin | undefined }): readonly string[] {
  const words: string[] = [];
  if (isKey) words.push("primary key");
  if (isNullable !== undefined) words.push(isNullable ? "may be NULL" : "not null");
  if (origin !== undefined) {
    const path = [...origin.table, ...(origin.column === "" || origin.column === name ? [] : [origin.column])];
    words.push(`of ${path.join(".")}`);
  }
  if (ordersAsText === true) words.push("sorts as text");
  return words;
}
