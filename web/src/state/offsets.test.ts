import fc from "fast-check";
import { expect, test } from "vitest";
import { lineOf, placeOfByte } from "./offsets.ts";

test("a byte's place is found in any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (before, after) => {
      const byte = new TextEncoder().encode(before).length;
      expect(placeOfByte(before + after, byte)).toBe(before.length);
    }),
  );
});

test("lines and columns begin with one", () => {
  expect(lineOf("select\n  totl", 9)).toEqual({ line: 2, column: 3 });
  expect(lineOf("select", 0)).toEqual({ line: 1, column: 1 });
});
