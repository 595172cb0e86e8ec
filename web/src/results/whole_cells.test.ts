import { expect, test } from "vitest";
import { MemorySource } from "./memory_source.ts";
import { readAll } from "./pages.ts";
import type { Cell, ResultColumn } from "./source.ts";
import { TooMuchText, wholeCells } from "./whole_cells.ts";

const column: ResultColumn = { name: "a", type: "text", family: "text", isNumber: false, isKey: false };
const rows: readonly Cell[] = [
  { text: "short", state: "value" },
  { text: "12", state: "cut", fullBytes: 4n, isPart: true, family: "number" },
  // The driver sent no more of it.
  { text: "part", state: "cut", fullBytes: 4_000_000n },
];

function windows() {
  const source = new MemorySource([column], rows.length, (row) => rows[row] ?? { text: "", state: "null" });
  return readAll(source, 0, rows.length - 1, new AbortController().signal);
}

test("a cell that Core has as a whole is read as a whole", async () => {
  const asked: number[] = [];
  const whole = async (row: number): Promise<Cell> => {
    asked.push(row);
    return { text: "1234", state: "value" };
  };
  const cells: Cell[] = [];
  for await (const window of wholeCells(windows(), { left: 0, right: 0 }, whole)) {
    for (let row = window.first; row < window.first + window.count; row++) cells.push(window.cell(row, 0));
  }
  expect(asked).toEqual([1]);
  expect(cells).toEqual([rows[0], { text: "1234", state: "value", family: "number" }, rows[2]]);
});

test("more than a page can hold is refused", async () => {
  const whole = async (): Promise<Cell> => ({ text: "x".repeat(1_000), state: "value" });
  const gather = async () => {
    for await (const _ of wholeCells(windows(), { left: 0, right: 0 }, whole, 500));
  };
  await expect(gather()).rejects.toBeInstanceOf(TooMuchText);
});
