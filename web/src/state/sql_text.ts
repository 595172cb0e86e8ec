import type { Relation, Schema } from "../gen/plugin/v1/catalog_pb.ts";
import type { ColumnOfRelation } from "./schema.ts";

/** Names that a dialect takes as they are: in lower case, and hardly a keyword when they have an underscore. */
const PLAIN = /^[a-z_][a-z0-9_]*$/;

/** A name as it has to be written. `quotes`: the characters that open a quoted name, the one to write first. */
export function quoted(name: string, quotes: readonly string[], keywords: ReadonlySet<string> = NO_WORDS): string {
  if (PLAIN.test(name) && !keywords.has(name.toUpperCase())) return name;
  const open = quotes[0] ?? '"';
  const close = open === "[" ? "]" : open;
  return open + name.replaceAll(close, close + close) + close;
}

const NO_WORDS: ReadonlySet<string> = new Set();

/** The name of a relation, with its schema unless names are looked up there. */
export function relationName(
  relation: Relation,
  schema: Schema | undefined,
  quotes: readonly string[],
  keywords: ReadonlySet<string> = NO_WORDS,
): string {
  const name = quoted(relation.name, quotes, keywords);
  return schema?.isDefault === true ? name : `${quoted(relation.schema, quotes, keywords)}.${name}`;
}

export function selectFrom(
  relation: Relation,
  schema: Schema | undefined,
  quotes: readonly string[],
  keywords: ReadonlySet<string> = NO_WORDS,
): string {
  return `SELECT *\nFROM ${relationName(relation, schema, quotes, keywords)};\n`;
}

/** A SELECT that names the columns. */
export function selectColumns(
  relation: Relation,
  schema: Schema | undefined,
  columns: readonly ColumnOfRelation[],
  quotes: readonly string[],
  keywords: ReadonlySet<string> = NO_WORDS,
): string {
  const names = columns.map(({ column }) => quoted(column.name, quotes, keywords));
  return `SELECT ${names.join(",\n       ")}\nFROM ${relationName(relation, schema, quotes, keywords)};\n`;
}

/** An INSERT with a place for each column that can be given. */
export function insertInto(
  relation: Relation,
  schema: Schema | undefined,
  columns: readonly ColumnOfRelation[],
  quotes: readonly string[],
  keywords: ReadonlySet<string> = NO_WORDS,
): string {
  const given = columns.filter(({ column }) => column.generated === 0 && column.identity !== 1);
  const names = given.map(({ column }) => quoted(column.name, quotes, keywords));
  const values = given.map(({ column }) => `NULL /* ${column.databaseType.replaceAll("*/", "")} */`);
  const name = relationName(relation, schema, quotes, keywords);
  return `INSERT INTO ${name} (${names.join(", ")})\nVALUES (${values.join(",\n        ")});\n`;
}
