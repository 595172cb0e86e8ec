import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { SessionActivity, SessionFactsSchema, SessionKind, SessionService } from "../gen/core/v1/session_pb.ts";
import { ErrorInfoSchema } from "../gen/google/rpc/error_info_pb.ts";
import { ExecuteResponseSchema, TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import { Connections } from "../state/connections.ts";
import { DriverList } from "../state/drivers.ts";
import { Leases } from "../state/leases.ts";
import { LinkKeeper } from "../state/link.ts";
import { TabSessions } from "../state/tab_sessions.ts";
import { Tabs } from "../state/tabs.ts";
import { Toasts } from "../state/toasts.ts";
import { coreOver } from "../transport/core.ts";
import { finishTransaction } from "./finish_transaction.ts";

const { IDLE, OPEN, FAILED } = TransactionState;
type Part = NonNullable<MessageInitShape<typeof ExecuteResponseSchema>["part"]>;
const summary = (commandTag: string, transactionState: TransactionState): Part => ({ case: "summary", value: { commandTag, transactionState } });

/** A tab in a transaction, of a Core that answers as the test says. */
async function page(answer: () => Promise<Part>, before = OPEN) {
  const executed: string[] = [];
  const facts = { transactionState: before };
  const transport = createRouterTransport(({ service }) => {
    service(SessionService, {
      listSessions: () => ({ sessions: [create(SessionFactsSchema, { sessionId: "s", connectionId: "c", frontEndId: "page", kind: SessionKind.LEASED, activity: SessionActivity.IDLE, ...facts })] }),
      async *executeInSession({ sql }) {
        executed.push(sql);
        const part = await answer();
        yield { part: { case: "result" as const, value: create(ExecuteResponseSchema, { part }) } };
      },
    });
  });
  const core = coreOver(transport);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  const connections = new Connections(core, link);
  const tabs = new Tabs({ getItem: () => null, setItem: () => undefined }, () => "tab");
  const tab = tabs.open("c");
  tabs.change(tab.id, { sessionId: "s" });
  const sessions = new TabSessions(core, link, new Leases(core, link, connections, new DriverList(core, link), "page"), tabs, "page");
  await sessions.find(connections, false);
  const toasts = new Toasts();
  const said: string[] = [];
  toasts.say = (text) => void said.push(text);
  toasts.fail = (text, why) => void said.push(`${text}: ${why}`);
  const app = { tabs, sessions, toasts };
  return { facts, said, executed, sessions, tab, finish: (sql: "COMMIT" | "ROLLBACK" = "COMMIT") => finishTransaction(app, sql, tab.id) };
}

test("what is said of a transaction's end is what the database did", async () => {
  const done = await page(async () => summary("COMMIT", IDLE));
  expect([await done.finish(), done.said]).toEqual([true, ["The transaction is committed"]]);
  // There is none any more, and nothing is sent.
  expect(await done.finish()).toBe(false);
  expect([done.said[1], done.executed]).toEqual(["Not committed: There is no transaction in this tab any more.", ["COMMIT"]]);

  const back = await page(async () => summary("ROLLBACK", IDLE), FAILED);
  expect([await back.finish("ROLLBACK"), back.said]).toEqual([true, ["The transaction is rolled back"]]);

  for (const part of [summary("ROLLBACK", IDLE), { case: "rejection", value: { message: "a key is missing", transactionState: IDLE } } as const]) {
    const lost = await page(async () => part);
    expect(await lost.finish()).toBe(false);
    expect(lost.said).toEqual([expect.stringMatching(/^Rolled back instead of committed: /)]);
    expect(lost.sessions.of(lost.tab.id)).toMatchObject({ transaction: IDLE });
  }
  const refused = await page(async () => ({ case: "rejection", value: { message: "locked", transactionState: OPEN } }));
  expect([await refused.finish(), refused.said]).toEqual([false, ["Not committed: locked"]]);
  expect(refused.sessions.of(refused.tab.id)).toMatchObject({ transaction: OPEN, isBusy: false });
});

test("a second press while the first is on its way sends nothing and says nothing", async () => {
  let arrive: (part: Part) => void = () => undefined;
  const of = await page(() => new Promise((resolve) => (arrive = resolve)));
  const first = of.finish();
  await expect.poll(() => of.executed, { timeout: 30_000 }).toEqual(["COMMIT"]);
  expect([await of.finish(), of.said]).toEqual([false, []]);
  arrive(summary("COMMIT", IDLE));
  expect(await first).toBe(true);
  expect([of.executed, of.said]).toEqual([["COMMIT"], ["The transaction is committed"]]);
});

test("where the answer was lost, Core's facts are told and nothing else", async () => {
  for (const [left, words] of [[OPEN, "Not committed: The transaction is still open"], [IDLE, "Nobody knows whether it was committed: The answer was lost. The transaction is over: look at the data."]] as const) {
    const of = await page(async () => {
      of.facts.transactionState = left;
      throw new ConnectError("Failed to fetch", Code.Unknown);
    });
    expect([await of.finish(), of.said]).toEqual([false, [words]]);
    expect(of.sessions.of(of.tab.id)).toMatchObject({ transaction: left, isBusy: false });
  }
});

test("a session that had ended has committed nothing", async () => {
  const of = await page(() => Promise.reject(new ConnectError("the session has ended", Code.FailedPrecondition, undefined, [{ desc: ErrorInfoSchema, value: { domain: "querybox", reason: "SESSION_ENDED" } }])));
  expect([await of.finish(), of.said]).toEqual([false, ["Not committed: The session has ended"]]);
  expect(of.sessions.of(of.tab.id).kind).toBe("lost");
});
