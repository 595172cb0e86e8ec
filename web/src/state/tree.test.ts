import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { createStore } from "zustand/vanilla";
import { ConnectionSchema } from "../gen/core/v1/connection_pb.ts";
import { KeyKind, RelationKind, type SchemaObject, SchemaObjectSchema } from "../gen/plugin/v1/catalog_pb.ts";
import { catalogOf, columnsOf, relationKey, type SchemaState } from "./schema.ts";
import { showInTree } from "./show_in_tree.ts";
import { aboutCount, treeRows, type TreeRow } from "./tree.ts";

const shop = create(ConnectionSchema, { id: "1", spec: { name: "shop" } });
const work = create(ConnectionSchema, { id: "2", spec: { name: "work", folder: "eu" } });

const object = (object: Parameters<typeof create<typeof SchemaObjectSchema>>[1]): SchemaObject =>
  create(SchemaObjectSchema, object);
const relation = (schema: string, name: string, kind = RelationKind.TABLE) =>
  object({ object: { case: "relation", value: { schema, name, kind } } });
const schema = (name: string, isDefault = false) => object({ object: { case: "schema", value: { name, isDefault } } });

const catalog = catalogOf([
  schema("public", true),
  relation("public", "orders"),
  relation("public", "top", RelationKind.VIEW),
  schema("audit"),
  relation("audit", "orders_log"),
]);
const known: Pick<SchemaState, "catalogs" | "columns"> = { catalogs: new Map([["1", { kind: "ready", value: catalog }]]), columns: new Map() };

function word(row: TreeRow): string {
  switch (row.kind) {
    case "connection":
      return row.connection.spec?.name ?? "";
    case "schema":
      return row.schema.name;
    case "relation":
      return row.relation.name;
    case "group":
      return `${row.group} ${row.count}`;
    case "folder":
      return row.name;
    case "column":
      return row.column.column.name;
    default:
      return row.kind;
  }
}

const check = (input: Partial<Parameters<typeof treeRows>[0]>, expected: readonly string[]) => {
  const rows = treeRows({ connections: [shop, work], schemas: known, toggled: new Set(), filter: "", ...input });
  expect(rows.map((row) => "  ".repeat(row.depth) + word(row))).toEqual(expected);
};

describe("the tree", () => {
  test("shows connections and folders before anything is opened", () => {
    check({}, ["shop", "eu", "  work"]);
    check({ toggled: new Set(["folder:eu"]) }, ["shop", "eu"]);
  });
  test("opens the schema where names are looked up, and its tables", () => {
    check({ connections: [shop], toggled: new Set(["1"]) }, [
      "shop",
      "  public",
      "    tables 1",
      "      orders",
      "    views 1",
      "  audit",
    ]);
  });
  test("says that it waits, also for columns", () => {
    check({ connections: [work], toggled: new Set(["2"]), schemas: { ...known, catalogs: new Map([["2", { kind: "loading" }]]) } }, [
      "eu",
      "  work",
      "    loading",
    ]);
    const key = relationKey("1", "public", "orders");
    check({ connections: [shop], toggled: new Set(["1", key]) }, [
      "shop",
      "  public",
      "    tables 1",
      "      orders",
      "        loading",
      "    views 1",
      "  audit",
    ]);
  });
  test("finds relations in every schema that is known, and connections by name", () => {
    check({ filter: "ORDERS" }, ["shop", "  public", "    tables 1", "      orders", "  audit", "    tables 1", "      orders_log"]);
    // What fits best comes first, and a schema may be named with it.
    check({ filter: "orders_log" }, ["shop", "  audit", "    tables 1", "      orders_log"]);
    check({ filter: "audit.ord" }, ["shop", "  audit", "    tables 1", "      orders_log"]);
    check({ filter: "Audit orders" }, ["shop", "  audit", "    tables 1", "      orders_log"]);
    const archive = catalogOf([schema("archive"), relation("archive", "orders_2008"), schema("sales"), relation("sales", "back_orders"), relation("sales", "orders")]);
    const schemas = { catalogs: new Map([["1", { kind: "ready" as const, value: archive }]]), columns: new Map() };
    check({ schemas, filter: "orders" }, ["shop", "  sales", "    tables 2", "      orders", "      back_orders", "  archive", "    tables 1", "      orders_2008"]);
    check({ filter: "wor" }, ["work"]);
    check({ filter: "nowhere" }, []);
  });
});

test("all that lies around a table opens to it, whether it was closed by its nature or by hand", () => {
  const own = create(ConnectionSchema, { id: "1", spec: { name: "shop", folder: "eu" } });
  const closed = [["folder:eu"], [JSON.stringify(["1", "public"])], [JSON.stringify(["1", "public", "tables"])], ["1", JSON.stringify(["1", "audit"])]];
  for (const keys of closed) {
    for (const { relations } of catalog.schemas) {
      for (const relation of relations) {
        const toggled = createStore<ReadonlySet<string>>(() => new Set(keys));
        const shown = createStore<{ readonly key: string | undefined }>(() => ({ key: undefined }));
        const schemas = { store: createStore(() => known) };
        showInTree({ connections: { find: () => own }, schemas, toggled, shown } as unknown as Parameters<typeof showInTree>[0], "1", relation);
        const rows = treeRows({ connections: [own], schemas: known, toggled: toggled.getState(), filter: "" });
        expect(rows.map(({ key }) => key)).toContain(shown.getState().key);
      }
    }
  }
});

test("columns know their keys", () => {
  const columns = columnsOf(
    [
      object({ object: { case: "column", value: { schema: "s", relation: "t", name: "id", primaryKeyPosition: 1 } } }),
      object({ object: { case: "column", value: { schema: "s", relation: "t", name: "shop_id" } } }),
      object({ object: { case: "column", value: { schema: "s", relation: "other", name: "id" } } }),
      object({
        object: {
          case: "key",
          value: {
            schema: "s",
            relation: "t",
            kind: KeyKind.FOREIGN,
            columns: ["shop_id"],
            referencedRelation: "shops",
            referencedColumns: ["id"],
          },
        },
      }),
    ],
    "s",
    "t",
  );
  expect(columns.map((column) => [column.column.name, column.isPrimary, column.references])).toEqual([
    ["id", true, ""],
    ["shop_id", false, "shops.id"],
  ]);
});

test("counts are short and never claim more than is known", () => {
  const counts = [0n, 8_214n, 61_234n, 999_950n, 1_900_000n, 214_000_000n].map(aboutCount);
  expect(counts).toEqual(["0", "8,214", "61.2 k", "1.0 M", "1.9 M", "214 M"]);
});
