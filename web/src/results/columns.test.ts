import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { StatementResultSchema } from "../gen/core/v1/result_pb.ts";
import { Display } from "../gen/plugin/v1/plugin_pb.ts";
import { columnsOf, tableOf, wordsOf } from "./columns.ts";

const statement = create(StatementResultSchema, {
  columns: [
    { name: "id", databaseType: "int8", display: Display.INTEGER },
    { name: "shipping", databaseType: "jsonb", display: Display.JSON },
    { name: "took", databaseType: "interval", display: Display.TEXT },
    { name: "note", databaseType: "text", display: Display.TEXT },
  ],
  // They come in any order, and not of all.
  columnFacts: [
    { column: 3, originSchema: "public", originTable: "orders", originColumn: "remark", nullable: true },
    { column: 0, originSchema: "public", originTable: "orders", originColumn: "id", primaryKey: true, nullable: false },
  ],
});

test("columns have what is known of them", () => {
  expect(columnsOf(statement)).toEqual([
    { name: "id", type: "int8", family: "number", isNumber: true, isKey: true, isNullable: false, origin: { table: ["public", "orders"], column: "id" } },
    { name: "shipping", type: "jsonb", family: "json", isNumber: false, isKey: false },
    { name: "took", type: "interval", family: "text", isNumber: false, isKey: false, ordersAsText: true },
    { name: "note", type: "text", family: "text", isNumber: false, isKey: false, isNullable: true, origin: { table: ["public", "orders"], column: "remark" } },
  ]);
});

test("what is known is said in words", () => {
  expect(columnsOf(statement).map(wordsOf)).toEqual([
    ["primary key", "not null", "of public.orders"],
    [],
    ["sorts as text"],
    ["may be NULL", "of public.orders.remark"],
  ]);
});

test("types whose text has another order than their values say so", () => {
  const sortsAsText = (databaseType: string, display: Display) =>
    columnsOf(create(StatementResultSchema, { columns: [{ name: "a", databaseType, display }] }))[0]?.ordersAsText === true;
  for (const type of ["interval", "money", "time with time zone"]) expect(sortsAsText(type, Display.TEXT), type).toBe(true);
  for (const type of ["text", "varchar(20)", "uuid", "inet", "pg_lsn", ""]) expect(sortsAsText(type, Display.TEXT), type).toBe(false);
  expect(sortsAsText("numeric", Display.DECIMAL)).toBe(false);
  expect(sortsAsText("interval", Display.INTERVAL)).toBe(false);
  expect(sortsAsText("money", Display.MONEY)).toBe(false);
});

test("a table is told when all columns are of it", () => {
  const [id, shipping, , note] = columnsOf(statement);
  if (id === undefined || shipping === undefined || note === undefined) throw new Error("there are four columns");
  expect(tableOf([id, note])).toEqual(["public", "orders"]);
  expect(tableOf([id, shipping])).toBeUndefined();
  expect(tableOf([])).toBeUndefined();
});
