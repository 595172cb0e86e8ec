import fc from "fast-check";
import { expect, test } from "vitest";
import { lineOf, placeOfByte, placesOfBytes } from "./offsets.ts";

test("a byte's place is found in any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (before, after) => {
      const byte = new TextEncoder().encode(before).length;
      expect(placeOfByte(before + after, byte)).toBe(before.length);
    }),
  );
});

test("several places are found at once", () => {
  const text = "ä€😀x";
  expect([...placesOfBytes(text, [9, 2, 0, 5, 10, 2])]).toEqual([[0, 0], [2, 1], [5, 2], [9, 4], [10, 5]]);
});

test("lines and columns begin with one", () => {
  expect(lineOf("select\n  totl", 9)).toEqual({ line: 2, column: 3 });
  expect(lineOf("select", 0)).toEqual({ line: 1, column: 1 });
});
