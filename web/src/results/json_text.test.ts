import fc from "fast-check";
import { expect, test } from "vitest";
import { formatJson } from "./json_text.ts";

test("JSON is laid out, and its numbers stay exact", () => {
  expect(formatJson('{"a":1.500,"b":[1,{}],"c":"x, {y}"}')).toBe('{\n  "a": 1.500,\n  "b": [\n    1,\n    {}\n  ],\n  "c": "x, {y}"\n}');
  expect(formatJson("12345678901234567890")).toBe("12345678901234567890");
  expect(formatJson("{no JSON}")).toBe("{no JSON}");
});

test("only space is added", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(JSON.stringify(JSON.parse(formatJson(text)))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});
