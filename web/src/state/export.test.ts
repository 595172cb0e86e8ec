import { expect, test } from "vitest";
import { firstChoice, formatOf, tableParts } from "./export.ts";

test("a table's name comes as it goes, whatever stands in it", () => {
  for (const table of [["orders"], ["public", "orders"], ["a.b", 'say "hi"'], [" spaced ", "x"]]) {
    const choice = { ...firstChoice("Query 1", table), format: "sqlInsert" as const };
    expect(formatOf(choice)).toEqual({ case: "sqlInsert", value: { table } });
  }
});

test("a table's name may be typed with and without quotes", () => {
  expect(tableParts(' public . "Order Items" ')).toEqual(["public", "Order Items"]);
  expect(tableParts("Order Items")).toEqual(["Order Items"]);
  expect(tableParts(" . ")).toEqual([]);
});
