import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { KeepLimitKind, ResultSchema, StatementResultSchema } from "../gen/core/v1/result_pb.ts";
import { StoppedBy } from "../gen/plugin/v1/plugin_pb.ts";
import { countOf, firstTab, messagesOf, tabsOf } from "./run_view.ts";

const statement = (init: MessageInitShape<typeof StatementResultSchema>) => create(StatementResultSchema, init);
const count = (init: MessageInitShape<typeof StatementResultSchema>) => {
  const { before, number, after } = countOf(statement(init));
  return [before, number, after].filter((part) => part !== "").join(" ");
};

test("counts never claim more than is known", () => {
  const rowCount = 1_204_000n;
  expect(count({ rowCount })).toBe("1,204,000 rows so far");
  expect(count({ rowCount, end: { case: "summary", value: {} } })).toBe("1,204,000 rows");
  expect(count({ rowCount: 1n, end: { case: "summary", value: {} } })).toBe("1 row");
  expect(count({ rowCount, end: { case: "summary", value: { stoppedBy: StoppedBy.ROWS_MAX } } })).toBe("first 1,204,000 of more: limit");
  expect(count({ rowCount, end: { case: "rejection", value: {} } })).toBe("1,204,000 rows, incomplete");
  expect(count({ rowCount, end: { case: "limit", value: { kind: KeepLimitKind.DISK_FULL } } })).toContain("the disk is full");
});

test("each statement with rows has a tab, and what was refused is shown first", () => {
  const tabs = tabsOf(
    create(ResultSchema, {
      statements: [
        { statement: 0, returnsRows: true, rowCount: 3n, end: { case: "summary", value: {} } },
        { statement: 1, returnsRows: false, end: { case: "summary", value: {} } },
        { statement: 2, returnsRows: true, rowCount: 5n, end: { case: "rejection", value: { message: "no" } } },
      ],
    }),
  );
  expect(tabs.map(({ label, kind }) => [label, kind])).toEqual([
    ["Result 1", "rows"],
    ["Result 2", "rows"],
    ["Error", "rejected"],
  ]);
  expect(firstTab(tabs)?.kind).toBe("rejected");
});

test("messages say how each statement ended", () => {
  const messages = messagesOf(
    create(ResultSchema, {
      notices: [{ statement: 0, severity: "WARNING", message: "there is no transaction" }],
      statements: [
        { statement: 0, end: { case: "summary", value: { commandTag: "UPDATE 5", affectedRows: 5n, elapsed: { nanos: 9_000_000 } } } },
        { statement: 1, end: { case: "rejection", value: { message: "no such table", hint: "look" } } },
      ],
    }),
  );
  expect(messages.map(({ tone, statement: number, text, detail }) => [tone, number, text, detail])).toEqual([
    ["warn", "1", "WARNING: there is no transaction", ""],
    ["plain", "1", "UPDATE 5", "5 rows changed in 9.0 ms"],
    ["danger", "2", "no such table", "look"],
  ]);
});
