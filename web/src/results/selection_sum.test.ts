import { expect, test } from "vitest";
import { MemorySource } from "./memory_source.ts";
import { readAll } from "./pages.ts";
import { DecimalSum, shortDecimal, sumOf, sumText } from "./selection_sum.ts";
import type { Cell, ResultColumn } from "./source.ts";

const number: ResultColumn = { name: "n", type: "numeric", family: "number", isNumber: true, isKey: false };

function sum(...texts: readonly string[]) {
  const made = new DecimalSum();
  for (const text of texts) made.add(text);
  return [made.text(), made.average(texts.length)];
}

test("decimals are added up exactly", () => {
  expect(sum("1127.40", "148.50", "34.95", "412.00", "96.20", "2318.75")).toEqual(["4137.80", "689.633333…"]);
  expect(sum("0.1", "0.2")).toEqual(["0.3", "0.15"]);
  expect(sum("-0.05", "0.02")).toEqual(["-0.03", "-0.015"]);
  expect(sum("9007199254740993", "1")).toEqual(["9007199254740994", "4503599627370497"]);
  expect(sum("1.5e3", "2E-2")).toEqual(["1500.02", "750.01"]);
});

test("a number that a line has no room for is told by its first digits, and says so", () => {
  const pairs: readonly (readonly [string, string])[] = [
    ["331108.70", "331108.70"],
    ["-9007199254740993", "-9007199254740993"],
    [`1${"0".repeat(300)}`, "1e+300"],
    [`-1${"0".repeat(299)}1.5`, "about -1e+300"],
    ["123456789012345678901234567890", "about 1.23456789012e+29"],
    [`0.${"0".repeat(299)}25`, "2.5e-300"],
    [`0.${"0".repeat(40)}25…`, "about 2.5e-41"],
    ["12.3333333333333333333333333333…", "12.33333333333333333333…"],
    [`0.${"0".repeat(30)}`, "0.000000000000000000000…"],
  ];
  for (const [long, short] of pairs) expect(shortDecimal(long)).toBe(short);
  expect(shortDecimal(sum("1e300", "12.5")[0] ?? "")).toBe("about 1e+300");
});

test("what is no number is counted, not added", async () => {
  const cells: readonly Cell[] = [
    { text: "1", state: "value" },
    { text: "", state: "null" },
    { text: "NaN", state: "value" },
    { text: "", state: "value" },
    { text: "2.5", state: "value" },
  ];
  const source = new MemorySource([number], cells.length, (row) => cells[row] ?? { text: "", state: "null" });
  const range = { top: 0, bottom: 4, left: 0, right: 0 };
  const found = await sumOf(readAll(source, 0, 4, new AbortController().signal), range, [number]);
  expect(found.numbers).toEqual({ count: 2, sum: "3.5", average: "1.75" });
  expect(sumText(found)).toBe("5 cells · sum 3.5 · average 1.75 · 1 NULL · 1 empty");
});

test("a value of another kind than its column's is added by its own", async () => {
  const cells: readonly Cell[] = [
    { text: "1", state: "value" },
    { text: "20", state: "value", family: "text" },
    { text: "300", state: "value" },
  ];
  const sumIn = async (column: ResultColumn, own: readonly Cell[]) => {
    const source = new MemorySource([column], own.length, (row) => own[row] ?? { text: "", state: "null" });
    const found = await sumOf(readAll(source, 0, own.length - 1, new AbortController().signal), { top: 0, bottom: own.length - 1, left: 0, right: 0 }, [column]);
    return found.numbers?.sum;
  };
  expect(await sumIn(number, cells)).toBe("301");
  const text: ResultColumn = { ...number, family: "text", isNumber: false };
  expect(await sumIn(text, cells)).toBeUndefined();
  expect(await sumIn(text, cells.map((cell) => ({ ...cell, family: "number" as const })))).toBe("321");
});
