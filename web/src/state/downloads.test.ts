import { expect, test } from "vitest";
import { Downloads } from "./downloads.ts";

test("downloads whose end was missed are told once, and no others", () => {
  const downloads = new Downloads();
  downloads.begin("a.csv");
  downloads.begin("a.csv");
  downloads.begin("b.csv");
  downloads.hearEnd("a.csv");
  downloads.hearEnd("of another page.csv");
  expect(downloads.miss()).toEqual(["a.csv", "b.csv"]);
  expect(downloads.miss()).toEqual([]);
});
