import { expect, test } from "vitest";
import { find, piecesWithin, rankWithin } from "./search.ts";

const marked = (text: string, wanted: string) =>
  find(text, wanted)?.pieces.map((piece) => (piece.isMatch ? `[${piece.text}]` : piece.text)).join("");

test("what is found is marked", () => {
  expect(marked("Next tab", "ex")).toBe("N[ex]t tab");
  expect(marked("New connection", "nc")).toBe("[N]ew [c]onnection");
  expect(marked("New connection", "")).toBe("New connection");
  expect(marked("New connection", "zz")).toBeUndefined();
});

test("beginnings come before what is inside, and that before scattered letters", () => {
  const rank = (text: string) => find(text, "ta")?.rank ?? Number.POSITIVE_INFINITY;
  const sorted = ["start all", "Next tab", "tables", "the last"].toSorted((a, b) => rank(a) - rank(b));
  expect(sorted).toEqual(["tables", "Next tab", "start all", "the last"]);
});

test("a table is found by its schema and its name", () => {
  const rank = (holder: string, name: string, wanted: string) => rankWithin(holder, name, wanted) ?? Number.POSITIVE_INFINITY;
  for (const wanted of ["sales.orders", "sales orders", "Sales.ord"]) {
    expect(rank("sales", "orders", wanted)).toBeLessThan(rank("sales", "paid_orders", wanted));
    expect(rank("archive", "orders", wanted)).toBe(Number.POSITIVE_INFINITY);
  }
  expect(rank("sales", "customers", "sales.orders")).toBe(Number.POSITIVE_INFINITY);
  expect(rank("public", "a.b", "a.b")).toBeLessThan(1);
  expect(piecesWithin("orders", "sales.ord")).toEqual([
    { text: "ord", isMatch: true },
    { text: "ers", isMatch: false },
  ]);
});
