import { expect, test } from "vitest";
import { placeAmong, signsBefore } from "./format.ts";

test("a cursor keeps its place among the signs when blanks come and go", () => {
  const [before, after] = ["select   a,b from t", "select a,\n  b\nfrom t"];
  for (const sign of ["a", ",b", "from", "t"]) {
    const at = before.indexOf(sign) + sign.length;
    expect(after.slice(0, placeAmong(after, signsBefore(before.slice(0, at)))).replaceAll(/\s/g, "")).toBe(before.slice(0, at).replaceAll(/\s/g, ""));
  }
  expect(placeAmong(after, 0)).toBe(0);
  expect(placeAmong(after, 999)).toBe(after.length);
});
