import { expect, test } from "vitest";
import { tsvOf } from "./copy.ts";
import { MemorySource } from "./memory_source.ts";
import { Pages } from "./pages.ts";
import type { Cell, ResultColumn } from "./source.ts";

const column = (name: string): ResultColumn => ({ name, type: "text", family: "text", isNumber: false, isKey: false });
const cells: readonly (readonly Cell[])[] = [
  [{ text: "a\tb", state: "value" }, { text: "1.50", state: "value" }],
  [{ text: "", state: "null" }, { text: 'say "hi"', state: "value" }],
];

function copy(top: number, bottom: number, left: number, right: number, names?: readonly string[]) {
  const source = new MemorySource([column("x"), column("y")], 2, (row, at) => cells[row]?.[at] ?? { text: "", state: "value" });
  const pages = new Pages(source, 2, { onRows: () => {}, onFailure: () => {} });
  return tsvOf(pages.readAll(top, bottom, new AbortController().signal), { top, bottom, left, right }, names);
}

test("values are copied as the server prints them", async () => {
  expect(await copy(0, 1, 0, 1, ["x", "y"])).toBe('x\ty\n"a\tb"\t1.50\n\t"say ""hi"""');
});

test("a single cell is its own text", async () => {
  expect(await copy(1, 1, 1, 1)).toBe('say "hi"');
});
