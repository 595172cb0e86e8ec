import { expect, test } from "vitest";
import { type CopyFormat, copyTextOf, uniqueNames } from "./copy.ts";
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

test("no two parts of an object have one name", () => {
  expect(uniqueNames(["a", "a", "a_2", "b"])).toEqual(["a", "a_2", "a_2_2", "b"]);
});
