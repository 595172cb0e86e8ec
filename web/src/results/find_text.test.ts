import { expect, test } from "vitest";
import { FOUND_MAX, findText } from "./find_text.ts";

test("a text is found whatever its case, and as it is", () => {
  expect(findText("Tea, tea (hot)", "TEA")).toEqual([[0, 3], [5, 8]]);
  expect(findText("Tea, tea (hot)", "(hot)")).toEqual([[9, 14]]);
  expect(findText("a\\b", "\\")).toEqual([[1, 2]]);
  expect(findText("abc", "")).toEqual([]);
  expect(findText("a".repeat(5_000), "a").length).toBe(FOUND_MAX);
});
