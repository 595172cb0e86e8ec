import fc from "fast-check";
import { expect, test } from "vitest";
import { PHYSICAL_MAX, ScaledScroll } from "./scroll.ts";

const ROW = 26;

function list(rows: number, view = 600) {
  const scroll = new ScaledScroll();
  scroll.resize(rows * ROW, view);
  return scroll;
}

test("a short list scrolls as the browser does", () => {
  const scroll = list(1_000);
  scroll.follow(1_234);
  expect(scroll.top).toBe(1_234);
  expect(scroll.physicalHeight).toBe(26_000);
  scroll.follow(1e9);
  expect(scroll.top).toBe(26_000 - 600);
});

test("ten million rows fit a browser, and both ends can be reached", () => {
  const scroll = list(10_000_000);
  expect(scroll.physicalHeight).toBe(PHYSICAL_MAX);
  scroll.follow(PHYSICAL_MAX - 600);
  expect(scroll.top).toBe(10_000_000 * ROW - 600);
  expect(scroll.physicalTop).toBe(PHYSICAL_MAX - 600);
  scroll.follow(0);
  expect(scroll.top).toBe(0);
});

test("a wheel moves by rows however long the list is", () => {
  const scroll = list(10_000_000);
  scroll.moveTo(130_000_000);
  scroll.follow(scroll.physicalTop + 100);
  expect(scroll.top).toBeCloseTo(130_000_100, 3);
});

test("the bar is always inside, and agrees with the place", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2e9 }), fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }), (rows, view, part) => {
      const scroll = list(rows, view);
      scroll.moveTo(part * rows * ROW);
      expect(scroll.physicalTop).toBeGreaterThanOrEqual(0);
      expect(scroll.physicalTop).toBeLessThanOrEqual(Math.max(0, scroll.physicalHeight - view) + 1e-6);
      const before = scroll.top;
      scroll.follow(scroll.physicalTop);
      expect(Math.abs(scroll.top - before)).toBeLessThan(1e-3);
    }),
  );
});

test("what is to be seen is brought into sight by the least move", () => {
  const scroll = list(100_000);
  scroll.show(1_000 * ROW, 1_001 * ROW);
  expect(scroll.top).toBe(1_001 * ROW - 600);
  scroll.show(1_000 * ROW, 1_001 * ROW);
  expect(scroll.top).toBe(1_001 * ROW - 600);
  scroll.show(10 * ROW, 11 * ROW);
  expect(scroll.top).toBe(10 * ROW);
});
