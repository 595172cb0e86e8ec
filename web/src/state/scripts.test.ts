import { expect, test } from "vitest";
import { create } from "@bufbuild/protobuf";
import { SpanSchema } from "../gen/plugin/v1/plugin_pb.ts";
import { againOf, type Outline, parametersOf, wantedOf } from "./scripts.ts";

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

test("what was run is run again, or one of its statements, wherever it stands by now", () => {
  const bindings = [{ name: "b", value: "5" }];
  const before = { sql: text, offset: 100, bindings };
  const span = create(SpanSchema, { startByte: 15, endByte: 24 });
  expect(againOf(outline, before, undefined)).toEqual({ sql: text, offset: 100, bindings, statements: [first, second] });
  expect(againOf(outline, before, span)).toEqual({ sql: "select :b", offset: 115, bindings, statements: [second] });
  expect(againOf(undefined, before, undefined)).toBe("unread");
  expect(againOf({ ...outline, text: "other" }, before, span)).toBe("unread");
});

test("what is run again has the values that it had", () => {
  const bindings = [{ name: "b", value: "5" }];
  expect(againOf(outline, { sql: text, offset: 0, bindings }, undefined)).toEqual({ sql: text, offset: 0, bindings, statements: [first, second] });
  const span = create(SpanSchema, { startByte: 15, endByte: 24 });
  expect(againOf(outline, { sql: text, offset: 0, bindings }, span)).toEqual({ sql: "select :b", offset: 15, bindings, statements: [second] });
});

test("of several parts that are selected none is run, unless all of it is wanted", () => {
  const parts = { from: 0, to: 13, hasParts: true as const };
  expect(wantedOf(outline, text, parts, false)).toBe("parts");
  expect(wantedOf(outline, text, parts, true)).toMatchObject({ sql: text });
});

test("what had values that nobody knows any more is not run again with others", () => {
  const plain = { from: 0, to: 8, parameters: [], changes: false };
  const mixed = "select 1; select :b";
  const of: Outline = { text: mixed, statements: [plain, { from: 10, to: 19, parameters: ["b"], changes: false }], atCursor: undefined };
  const before = { sql: mixed, offset: 0 };
  expect(againOf(of, before, undefined)).toBe("no-values");
  expect(againOf(of, before, create(SpanSchema, { startByte: 10, endByte: 19 }))).toBe("no-values");
  expect(againOf(of, before, create(SpanSchema, { startByte: 0, endByte: 8 }))).toMatchObject({ sql: "select 1" });
});
