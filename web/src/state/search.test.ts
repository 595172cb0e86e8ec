import { expect, test } from "vitest";
import { find } from "./search.ts";

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
