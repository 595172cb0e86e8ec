import { expect, test } from "vitest";
import { AS_THEY_CAME, cycledSort, stepsOf } from "./arrangement.ts";

test("rows are left out before they are put in order", () => {
  const steps = stepsOf({ filter: "", search: "x", isDistinct: true, sort: [{ column: 2, isDescending: true }] }, []);
  expect(steps.map(({ kind }) => kind?.case)).toEqual(["search", "distinct", "sort"]);
  expect(stepsOf(AS_THEY_CAME, [])).toEqual([]);
});

test("a filter that cannot be read is no step", () => {
  expect(stepsOf({ ...AS_THEY_CAME, filter: "what = " }, [])).toEqual([]);
});

test("a column goes up, down, and back to how the rows came", () => {
  const up = cycledSort([], 1, false);
  const down = cycledSort(up, 1, false);
  expect([up, down, cycledSort(down, 1, false)]).toEqual([
    [{ column: 1, isDescending: false }],
    [{ column: 1, isDescending: true }],
    [],
  ]);
});

test("a second column is added behind the first, or takes its place", () => {
  const first = [{ column: 0, isDescending: true }];
  expect(cycledSort(first, 1, true)).toEqual([...first, { column: 1, isDescending: false }]);
  expect(cycledSort(first, 1, false)).toEqual([{ column: 1, isDescending: false }]);
  expect(cycledSort([{ column: 0, isDescending: false }, { column: 1, isDescending: false }], 0, true)).toEqual([
    { column: 0, isDescending: true },
    { column: 1, isDescending: false },
  ]);
});
