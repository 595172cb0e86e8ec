import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { KeepLimitKind, ResultSchema, ResultState, StatementResultSchema } from "../gen/core/v1/result_pb.ts";
import { StoppedBy, TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import { countOf, exportedText, firstTab, messagesOf, shownCount, standText, tabsOf } from "./run_view.ts";

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

test("an export says what it has", () => {
  const [running, over] = [statement({ rowCount: 5_095n }), statement({ rowCount: 5_095n, end: { case: "summary", value: {} } })];
  expect(exportedText(running, undefined)).toBe("Every row, 5,095 so far");
  expect(exportedText(over, undefined)).toBe("5,095 rows");
  const shown = { view: 1, rowCount: 12, sourceRowCount: 5_095 };
  expect([running, over].map((of) => exportedText(of, shown))).toEqual(["12 of 5,095 rows so far", "12 of 5,095 rows"]);
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
    ["Rejected", "rejected"],
  ]);
  expect(firstTab(tabs)?.kind).toBe("rejected");
});

test("what was stopped was not rejected", () => {
  const end = { case: "rejection" as const, value: { sqlstate: "57014", message: "canceling statement due to user request" } };
  const stopped = (state: ResultState, reason: string, rowCount: bigint) =>
    create(ResultSchema, {
      state,
      statementCount: 1,
      ...(reason === "" ? {} : { failure: { reason, message: "it took too long" } }),
      statements: [{ statement: 0, returnsRows: true, rowCount, end }],
    });
  const cases = [
    [stopped(ResultState.CANCELLED, "", 5n), "Cancelled", "plain"],
    [stopped(ResultState.FAILED, "DEADLINE", 0n), "Stopped by the deadline", "warn"],
    [stopped(ResultState.FAILED, "CONNECTION_LOST", 5n), "The server closed the connection", "danger"],
  ] as const;
  for (const [result, text, tone] of cases) {
    expect(tabsOf(result).map(({ kind }) => kind)).toEqual(result.statements[0]?.rowCount === 0n ? [] : ["rows"]);
    // Once, with the database's own words.
    expect(messagesOf(result).map((message) => [message.text, message.tone, message.detail])).toEqual([[text, tone, end.value.message]]);
  }
  expect(tabsOf(stopped(ResultState.REJECTED, "", 0n)).map(({ label }) => label)).toEqual(["Rejected"]);
  // A server that goes says why, as it would say that a statement is wrong; but then the session is over.
  const farewell = { severity: "FATAL", sqlstate: "57P01", message: "terminating connection due to administrator command" };
  const left = create(ResultSchema, {
    state: ResultState.REJECTED,
    statementCount: 1,
    statements: [{ statement: 0, returnsRows: true, rowCount: 5n, end: { case: "rejection", value: farewell } }],
  });
  expect(tabsOf(left).map(({ kind }) => kind)).toEqual(["rows"]);
  expect(messagesOf(left).map(({ text, detail }) => [text, detail])).toEqual([["The server closed the connection", farewell.message]]);
});

test("a cancel hides no rejection that came before it, and is told behind statements that ended well", () => {
  const cancelled = (end: MessageInitShape<typeof StatementResultSchema>["end"]) =>
    create(ResultSchema, { state: ResultState.CANCELLED, statementCount: 1, statements: [{ statement: 0, ...(end === undefined ? {} : { end }) }] });
  const said = (result: ReturnType<typeof cancelled>) => messagesOf(result).map(({ text, tone, statement: number }) => [text, tone, number]);
  const rejected = cancelled({ case: "rejection", value: { sqlstate: "23505", severity: "ERROR", message: "duplicate key" } });
  expect(tabsOf(rejected).map(({ kind }) => kind)).toEqual(["rejected"]);
  expect(said(rejected)).toEqual([
    ["duplicate key", "danger", "1"],
    ["Cancelled", "plain", ""],
  ]);
  expect(said(cancelled({ case: "summary", value: { commandTag: "SET" } })).slice(1)).toEqual([["Cancelled", "plain", ""]]);
  expect(said(cancelled(undefined))).toEqual([["Cancelled", "plain", "1"]]);
});

test("what is not shown or was not run is said", () => {
  const result = create(ResultSchema, { state: ResultState.REJECTED, statementCount: 150, statements: [{ statement: 0, end: { case: "summary", value: { commandTag: "SET" } } }], noticeCount: 3_000n });
  expect(messagesOf(result, 152).map(({ text }) => text)).toEqual([
    "3,000 earlier messages are not kept",
    "SET",
    "149 more statements ran, which are not listed here",
    "2 statements did not run",
  ]);
});

test("a view's count keeps what is not known of its rows", () => {
  const shown = { view: 1, rowCount: 20, sourceRowCount: 1_000 };
  const cut = statement({ rowCount: 1_000n, end: { case: "summary", value: { stoppedBy: StoppedBy.ROWS_MAX } } });
  expect(shownCount(cut, shown)).toEqual({ before: "", number: "20", after: "of the first 1,000 of more: limit", isWarning: true });
  expect(shownCount(statement({ rowCount: 1_000n }), shown)?.after).toBe("of 1,000 rows so far");
  expect(shownCount(cut, { ...shown, rowCount: 1_000 })).toBeUndefined();
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

test("how a run stands hides no transaction, nor the other way round", () => {
  const { IDLE, OPEN, FAILED, UNSPECIFIED } = TransactionState;
  const rejected = { kind: "ended" as const, result: create(ResultSchema, { state: ResultState.REJECTED }), page: undefined };
  expect([IDLE, FAILED].map((state) => standText(rejected, 0, state))).toEqual(["Rejected", "Rejected · Failed transaction"]);
  expect([IDLE, OPEN, FAILED, UNSPECIFIED].map((state) => standText({ kind: "idle" }, 0, state))).toEqual(["Idle", "In transaction", "Failed transaction", "Transaction unknown"]);
  expect(standText({ kind: "lost" }, 0, OPEN)).toBe("Lost · In transaction");
});
