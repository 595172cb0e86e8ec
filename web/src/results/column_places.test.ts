import { expect, test } from "vitest";
import { ColumnPlaces } from "./column_places.ts";

function places(widths: readonly number[], frozen = 0): ColumnPlaces {
  const made = new ColumnPlaces();
  made.set(widths, frozen);
  return made;
}

test("only columns in sight are told", () => {
  const made = places(Array.from({ length: 1_600 }, () => 100));
  expect(made.total).toBe(160_000);
  expect(made.inSight(0, 800)).toEqual([0, 8]);
  expect(made.inSight(50_050, 800)).toEqual([500, 509]);
  expect(made.inSight(159_200, 800)).toEqual([1_592, 1_600]);
});

test("columns that stand still cover those that move", () => {
  const made = places([100, 100, 50, 50], 1);
  expect(made.inSight(120, 200)).toEqual([2, 4]);
  expect(made.at(40, 120)).toBe(0);
  expect(made.at(120, 120)).toBe(2);
  expect(made.leftToShow(0, 120, 200)).toBe(120);
  expect(made.leftToShow(1, 120, 200)).toBe(0);
  expect(made.leftToShow(3, 0, 200)).toBe(100);
});
