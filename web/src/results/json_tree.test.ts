import fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonNode, jsonTree } from "./json_tree.ts";

function valueOf(node: JsonNode | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === "object") return Object.fromEntries(node.parts.map(([name, part]) => [name, valueOf(part)]));
  if (node.kind === "array") return node.parts.map(valueOf);
  return node.kind === "text" ? node.text : JSON.parse(node.text);
}

test("a tree is what its text says", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value, undefined, 1);
      expect(JSON.stringify(valueOf(jsonTree(text)))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("numbers stay as they are written", () => {
  expect(jsonTree("[12345678901234567890.10]")).toEqual({ kind: "array", parts: [{ kind: "number", text: "12345678901234567890.10" }] });
});

test("what is no JSON has no tree", () => {
  expect(jsonTree("{a: 1}")).toBeUndefined();
  expect(jsonTree("")).toBeUndefined();
  expect(jsonTree("[".repeat(300) + "]".repeat(300))).toBeUndefined();
});
