import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RelationColumnSchema, RelationSchema, SchemaSchema } from "../gen/plugin/v1/catalog_pb.ts";
import { insertInto, quoted, selectColumns, selectFrom } from "./sql_text.ts";

const orders = create(RelationSchema, { schema: "Shop", name: "orders" });
const column = (name: string, generated = 0) => ({
  column: create(RelationColumnSchema, { name, databaseType: "text", generated }),
  isPrimary: false,
  references: "",
});

test("names are quoted where they have to be, and a quote in them is doubled", () => {
  expect(quoted("orders", ['"'])).toBe("orders");
  expect(quoted("Orders", ['"'])).toBe('"Orders"');
  expect(quoted('a"b', ['"'])).toBe('"a""b"');
  expect(quoted("a]b", ["["])).toBe("[a]]b]");
  expect(quoted("order", ['"'], new Set(["ORDER"]))).toBe('"order"');
});

test("the schema stands before a relation unless names are looked up there", () => {
  expect(selectFrom(orders, create(SchemaSchema, { name: "Shop" }), ['"'])).toBe('SELECT *\nFROM "Shop".orders;\n');
  expect(selectFrom(orders, create(SchemaSchema, { name: "Shop", isDefault: true }), ['"'])).toBe("SELECT *\nFROM orders;\n");
});

test("columns that the database computes are read and not written", () => {
  const columns = [column("id"), column("sum", 1)];
  expect(selectColumns(orders, undefined, columns, ['"'])).toContain("id,\n       sum");
  expect(insertInto(orders, undefined, columns, ['"'])).toContain("(id)\nVALUES (NULL /* text */)");
});
