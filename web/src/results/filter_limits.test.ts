import { expect, test } from "vitest";
import { readFilter } from "./filter_text.ts";
import type { ResultColumn } from "./source.ts";

const columns: readonly ResultColumn[] = [{ name: "a", type: "text", family: "text", isNumber: false, isKey: false }];

function faultOf(text: string): string {
  const read = readFilter(text, columns);
  return read.kind === "fault" ? read.message : "";
}

test("what Core takes is taken", () => {
  expect(faultOf(Array.from({ length: 32 }, (_, at) => `a contains '${at}'`).join(" or "))).toBe("");
  expect(faultOf(Array.from({ length: 50 }, () => "a ~ 'the same'").join(" or "))).toBe("");
  expect(faultOf(`a in (${Array.from({ length: 900 }, (_, at) => at).join(", ")})`)).toBe("");
  expect(faultOf(`a = '${"x".repeat(65_000)}'`)).toBe("");
});

test("what is too much for Core says so before it is sent", () => {
  expect(faultOf(Array.from({ length: 33 }, (_, at) => `a contains '${at}'`).join(" or "))).toContain("33 texts and patterns");
  expect(faultOf(`a in (${Array.from({ length: 1_200 }, (_, at) => at).join(", ")})`)).toContain("1,201 conditions");
  expect(faultOf(`a = '${"x".repeat(66_000)}'`)).toContain("64 KiB");
  expect(faultOf(`${"not (".repeat(40)}a = 1${")".repeat(40)}`)).toContain("deep");
});
