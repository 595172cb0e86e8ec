import { expect, test } from "vitest";
import { type CopyFormat, copyTextOf, type SqlForm, uniqueNames } from "./copy.ts";
import { MemorySource } from "./memory_source.ts";
import { readAll } from "./pages.ts";
import type { Cell, ResultColumn } from "./source.ts";

const column = (name: string, isNumber = false): ResultColumn => ({ name, type: "text", family: isNumber ? "number" : "text", isNumber, isKey: false });
const cells: readonly (readonly Cell[])[] = [
  [{ text: "a\tb", state: "value" }, { text: "1.50", state: "value" }],
  [{ text: "", state: "null" }, { text: 'say "hi"', state: "value" }],
];

function copy(top: number, bottom: number, left: number, right: number, format: CopyFormat) {
  const columns = [column("x"), column("y", true)];
  const source = new MemorySource(columns, 2, (row, at) => cells[row]?.[at] ?? { text: "", state: "value" });
  return copyTextOf(readAll(source, top, bottom, new AbortController().signal), { top, bottom, left, right }, columns, format);
}

test("values are copied as the server prints them", async () => {
  expect(await copy(0, 1, 0, 1, "tsv-names")).toBe('x\ty\n"a\tb"\t1.50\n\t"say ""hi"""');
  expect(await copy(0, 1, 0, 1, "csv")).toBe('x,y\na\tb,1.50\n,"say ""hi"""\n');
});

test("a single cell is its own text", async () => {
  expect(await copy(1, 1, 1, 1, "tsv")).toBe('say "hi"');
});

test("NULL stays NULL, and numbers stay the digits that they were", async () => {
  expect(await copy(0, 1, 0, 1, "json")).toBe('[\n  {"x": "a\\tb", "y": 1.50},\n  {"x": null, "y": "say \\"hi\\""}\n]\n');
  expect(JSON.parse(await copy(0, 1, 0, 1, "json"))).toEqual([{ x: "a\tb", y: 1.5 }, { x: null, y: 'say "hi"' }]);
  expect(await copy(0, 1, 0, 1, "insert")).toBe(`INSERT INTO "table" ("x", "y") VALUES\n  ('a\tb', 1.50),\n  (NULL, 'say "hi"');\n`);
  expect(await copy(0, 1, 1, 1, "in-list")).toBe(`(1.50, 'say "hi"')`);
  expect(await copy(0, 0, 0, 1, "markdown")).toBe("| x | y |\n| --- | ---: |\n| a\tb | 1.50 |\n");
});

test("names and literals are written as the database reads them", async () => {
  const columns: readonly ResultColumn[] = [
    { ...column("shown"), origin: { table: ["main", "t"], column: "a`b]c" } },
    { ...column("raw"), family: "binary", origin: { table: ["main", "t"], column: "" } },
  ];
  const source = new MemorySource(columns, 1, (_, at) => ({ text: at === 0 ? "it's C:\\x" : "\\x00ff", state: "value" }));
  const insert = (form: SqlForm) =>
    copyTextOf(readAll(source, 0, 0, new AbortController().signal), { top: 0, bottom: 0, left: 0, right: 1 }, columns, "insert", form);
  expect(await insert({ quotes: ["`"], backslashes: true, bytes: "standard" })).toBe(
    "INSERT INTO `main`.`t` (`a``b]c`, `raw`) VALUES\n  ('it''s C:\\\\x', X'00ff');\n",
  );
  expect(await insert({ quotes: ["["], backslashes: false, bytes: "number" })).toBe("INSERT INTO [main].[t] ([a`b]]c], [raw]) VALUES\n  ('it''s C:\\x', 0x00ff);\n");
  expect(await insert({ quotes: ['"'], backslashes: false, bytes: "postgres" })).toBe(
    `INSERT INTO "main"."t" ("a\`b]c", "raw") VALUES\n  ('it''s C:\\x', '\\x00ff');\n`,
  );
});

test("rows of several tables, of none, or with a column twice, name no table", async () => {
  const insert = (tables: readonly (readonly string[] | undefined)[], names = tables.map((_, at) => `x${at}`)) => {
    const columns = tables.map((table, at): ResultColumn => ({ ...column(`c${at}`), ...(table === undefined ? {} : { origin: { table, column: names[at] ?? "" } }) }));
    const source = new MemorySource(columns, 1, () => ({ text: "", state: "null" }));
    return copyTextOf(readAll(source, 0, 0, new AbortController().signal), { top: 0, bottom: 0, left: 0, right: tables.length - 1 }, columns, "insert");
  };
  expect(await insert([["a", "t"], ["b", "t"]])).toBe('INSERT INTO "table" ("c0", "c1") VALUES\n  (NULL, NULL);\n');
  expect(await insert([["a", "t"], ["a", "t"]], ["id", "id"])).toBe('INSERT INTO "table" ("c0", "c1") VALUES\n  (NULL, NULL);\n');
  expect(await insert([["a", "t"], ["a", "t"]], ["", ""])).toBe('INSERT INTO "a"."t" ("c0", "c1") VALUES\n  (NULL, NULL);\n');
  expect(await insert([["a", "t"], undefined])).toBe('INSERT INTO "table" ("c0", "c1") VALUES\n  (NULL, NULL);\n');
  expect(await insert([["a.b"], ["a.b"]])).toBe('INSERT INTO "a.b" ("x0", "x1") VALUES\n  (NULL, NULL);\n');
});

test("a value of another kind than its column's is written as what it is", async () => {
  const columns: readonly ResultColumn[] = [column("texts"), column("numbers", true), { ...column("blobs"), family: "binary" }];
  const mixed: readonly Cell[] = [
    { text: "\\x6162", state: "value", family: "binary" },
    { text: "12", state: "value", family: "text" },
    { text: "\\x61", state: "value", family: "text" },
  ];
  const source = new MemorySource(columns, 1, (_, at) => mixed[at] ?? { text: "", state: "value" });
  const as = (format: CopyFormat) =>
    copyTextOf(readAll(source, 0, 0, new AbortController().signal), { top: 0, bottom: 0, left: 0, right: 2 }, columns, format, { quotes: ['"'], backslashes: false, bytes: "standard" });
  expect(await as("in-list")).toBe("(X'6162', '12', '\\x61')");
  expect(JSON.parse(await as("json"))).toEqual([{ texts: "\\x6162", numbers: "12", blobs: "\\x61" }]);
});

test("no two parts of an object have one name", () => {
  expect(uniqueNames(["a", "a", "a_2", "b"])).toEqual(["a", "a_2", "a_2_2", "b"]);
});
