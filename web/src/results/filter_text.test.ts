import fc from "fast-check";
import { expect, test } from "vitest";
import { likePattern, readFilter, testText, withTest } from "./filter_text.ts";
import type { ResultColumn } from "./source.ts";

const column = (name: string): ResultColumn => ({ name, type: "text", family: "text", isNumber: false, isKey: false });
const columns = [column("id"), column("status"), column("Größe in m"), column("and")];

const read = (text: string) => {
  const filter = readFilter(text, columns);
  return filter.kind === "condition" ? filter.condition.condition : filter;
};
const cell = (index: number, test: unknown, ignoreCase = false) => ({ case: "cell", value: { column: index, ignoreCase, test } });

test("a comparison of a column with a value", () => {
  expect(read("id >= 10")).toEqual(cell(0, { case: "compare", value: { comparison: 6, value: "10" } }));
  expect(read(`"Größe in m" = 'it''s'`)).toEqual(cell(2, { case: "compare", value: { comparison: 1, value: "it's" } }));
  expect(read("STATUS contains paid")).toEqual(cell(1, { case: "contains", value: "paid" }, true));
});

test("and binds closer than or, and parentheses closest", () => {
  const shape = (condition: unknown): unknown => {
    const { case: kind, value } = condition as { case: string; value: { conditions?: { condition: unknown }[]; condition?: unknown } };
    if (kind === "cell") return "c";
    return kind === "not" ? ["not", shape(value.condition)] : [kind, ...(value.conditions ?? []).map((inner) => shape(inner.condition))];
  };
  expect(shape(read("id=1 or id=2 and id=3"))).toEqual(["any", "c", ["all", "c", "c"]]);
  expect(shape(read("(id=1 or id=2) and not id=3"))).toEqual(["all", ["any", "c", "c"], ["not", "c"]]);
  expect(shape(read("id in (1, 2) and id between 1 and 5"))).toEqual(["all", ["any", "c", "c"], ["all", "c", "c"]]);
  expect(shape(read("status is not null"))).toEqual(["not", "c"]);
  expect(shape(read("status not like 'a%'"))).toEqual(["all", ["not", "c"], ["not", "c"]]);
});

test("what cannot be read is said with its place", () => {
  expect(read("totl = 1")).toEqual({ kind: "fault", at: 0, message: "There is no column “totl”" });
  expect(read("id = ")).toMatchObject({ kind: "fault", at: 5 });
  expect(read("id = 'x")).toMatchObject({ kind: "fault", at: 5, message: "This text does not end" });
  expect(read("id = 1 status = 2")).toMatchObject({ kind: "fault", at: 7 });
  expect(read("   ")).toEqual({ kind: "none" });
});

test("a test for any value of any column is read as what it was made of", () => {
  fc.assert(
    fc.property(fc.nat(3), fc.option(fc.string(), { nil: undefined }), (index, value) => {
      const head = columns[index] ?? column("");
      const expected = value === undefined ? { case: "isNull", value: {} } : { case: "compare", value: { comparison: 1, value } };
      expect(read(testText(head, value, true))).toEqual(cell(index, expected));
    }),
  );
});

test("a further test narrows what there is", () => {
  expect(withTest("", "id = '1'")).toBe("id = '1'");
  expect(withTest("id = 1 or id = 2", "status = 'x'")).toBe("(id = 1 or id = 2) and status = 'x'");
});

test("LIKE's signs alone have a meaning in its patterns", () => {
  expect(likePattern("a.b%_\\")).toBe("(?s)^a\\.b.*.\\\\$");
});
