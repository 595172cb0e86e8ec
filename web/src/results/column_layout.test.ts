import fc from "fast-check";
import { expect, test } from "vitest";
import { frozenAt, hidden, layoutOf, moved, shownAgain } from "./column_layout.ts";

test("columns are moved, hidden and shown again", () => {
  const layout = moved(layoutOf(4), 0, 2);
  expect(layout.order).toEqual([1, 2, 0, 3]);
  expect(hidden(layout, 2).order).toEqual([1, 0, 3]);
  expect(shownAgain(hidden(layoutOf(4), 2), 2).order).toEqual([0, 1, 2, 3]);
  expect(hidden(hidden(layoutOf(2), 0), 1).order).toEqual([1]);
});

test("a column is frozen with those before it, and thawed with those behind", () => {
  expect(frozenAt(layoutOf(4), 1).frozen).toBe(2);
  expect(frozenAt(frozenAt(layoutOf(4), 2), 1).frozen).toBe(1);
});

test("whatever is done, each column is shown at most once and the frozen ones are there", () => {
  const step = fc.tuple(fc.constantFrom("move", "hide", "show", "freeze"), fc.nat(4), fc.nat(4));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let layout = layoutOf(5);
      for (const [what, a, b] of steps) {
        const last = layout.order.length - 1;
        if (what === "move") layout = moved(layout, Math.min(a, last), Math.min(b, last));
        if (what === "hide") layout = hidden(layout, a);
        if (what === "show") layout = shownAgain(layout, a);
        if (what === "freeze") layout = frozenAt(layout, a);
        expect(new Set(layout.order).size).toBe(layout.order.length);
        expect(layout.order.length).toBeGreaterThan(0);
        expect(layout.frozen).toBeGreaterThanOrEqual(0);
        expect(layout.frozen).toBeLessThanOrEqual(layout.order.length);
      }
    }),
  );
});
