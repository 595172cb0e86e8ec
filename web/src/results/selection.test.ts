import { expect, test } from "vitest";
import { cellCount, everything, lead, ORIGIN, placeByKey, rangeOf, wholeColumn, wholeRow } from "./selection.ts";

const bounds = { rows: 100, columns: 5 };

test("keys lead from cell to cell, and no further than the ends", () => {
  const go = (key: string, isJump = false) => {
    const from = { row: 50, column: 2 };
    const to = placeByKey({ key, isJump }, from, bounds, 20);
    return to === undefined ? undefined : lead(ORIGIN, to, bounds, false).active;
  };
  expect(go("ArrowDown")).toEqual({ row: 51, column: 2 });
  expect(go("PageUp")).toEqual({ row: 30, column: 2 });
  expect(go("End")).toEqual({ row: 50, column: 4 });
  expect(go("Home", true)).toEqual({ row: 0, column: 0 });
  expect(go("End", true)).toEqual({ row: 99, column: 4 });
  expect(go("ArrowDown", true)).toEqual({ row: 99, column: 2 });
  expect(go("a")).toBeUndefined();
  expect(lead(ORIGIN, { row: -3, column: 9 }, bounds, false).active).toEqual({ row: 0, column: 4 });
});

test("a selection is extended from where it began, in any direction", () => {
  const from = lead(ORIGIN, { row: 10, column: 3 }, bounds, false);
  const range = rangeOf(lead(from, { row: 8, column: 4 }, bounds, true));
  expect(range).toEqual({ top: 8, bottom: 10, left: 3, right: 4 });
  expect(cellCount(range)).toBe(6);
});

test("rows, columns and everything", () => {
  expect(rangeOf(wholeRow(7, bounds, undefined))).toEqual({ top: 7, bottom: 7, left: 0, right: 4 });
  expect(rangeOf(wholeRow(9, bounds, wholeRow(7, bounds, undefined)))).toEqual({ top: 7, bottom: 9, left: 0, right: 4 });
  expect(rangeOf(wholeColumn(2, bounds, undefined))).toEqual({ top: 0, bottom: 99, left: 2, right: 2 });
  expect(rangeOf(everything(bounds))).toEqual({ top: 0, bottom: 99, left: 0, right: 4 });
  // What is active is where they begin, which is shown whole beside them.
  expect([wholeRow(7, bounds, undefined), wholeColumn(2, bounds, undefined), everything(bounds)].map(({ active }) => active)).toEqual([
    { row: 7, column: 0 },
    { row: 0, column: 2 },
    { row: 0, column: 0 },
  ]);
});
