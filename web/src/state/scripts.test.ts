import { expect, test } from "vitest";
import { type Outline, parametersOf, wantedOf } from "./scripts.ts";

const text = "select :a, :b; select :b";
const first = { from: 0, to: 13, parameters: ["a", "b"], changes: false };
const second = { from: 15, to: 24, parameters: ["b"], changes: false };
const outline: Outline = { text, statements: [first, second], atCursor: second };
const nowhere = { from: 20, to: 20 };

test("the statement at the cursor is run", () => {
  expect(wantedOf(outline, text, nowhere, false)).toEqual({ sql: "select :b", offset: 15, statements: [second] });
});

test("what is selected is run, and all of it when that is wanted", () => {
  expect(wantedOf(outline, text, { from: 7, to: 9 }, false)).toEqual({ sql: ":a", offset: 7, statements: [first] });
  expect(wantedOf(outline, text, { from: 7, to: 9 }, true)).toEqual({ sql: text, offset: 0, statements: [first, second] });
});

test("a text that nobody could outline is run as a whole when that is wanted, and never by the statement", () => {
  expect(wantedOf(undefined, text, nowhere, true)).toEqual({ sql: text, offset: 0, statements: [] });
  expect(wantedOf(undefined, text, { from: 7, to: 9 }, false)).toEqual({ sql: ":a", offset: 7, statements: [] });
  expect(wantedOf(undefined, text, nowhere, false)).toBe("unread");
  expect(wantedOf({ ...outline, text: "other" }, text, nowhere, false)).toBe("unread");
  expect(wantedOf({ ...outline, atCursor: undefined }, text, nowhere, false)).toBe("none");
});

test("each value is asked for once", () => {
  expect(parametersOf({ statements: [first, second] })).toEqual(["a", "b"]);
});
