import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ConnectionSchema, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { SessionActivity, type SessionFacts, SessionFactsSchema, SessionKind, SessionService } from "../gen/core/v1/session_pb.ts";
import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import { coreOver } from "../transport/core.ts";
import { Connections } from "./connections.ts";
import { DriverList } from "./drivers.ts";
import { Leases } from "./leases.ts";
import { LinkKeeper } from "./link.ts";
import { refusedByLoss } from "./tab_session.ts";
import { TabSessions } from "./tab_sessions.ts";
import { HELD_KEY, type Tab, Tabs, TABS_KEY } from "./tabs.ts";

const held = (sessionId: string, more: MessageInitShape<typeof SessionFactsSchema> = {}) =>
  create(SessionFactsSchema, { kind: SessionKind.LEASED, activity: SessionActivity.IDLE, frontEndId: "page", connectionId: "c", ...more, sessionId });

/** A page with tabs that were kept over a reload, before a Core that holds some sessions. `held`: what was kept of others, without their texts. */
function page(tabs: readonly Partial<Tab>[], sessions: readonly SessionFacts[], held: readonly (readonly [string, Partial<Tab>])[] = []) {
  const ended: string[] = [];
  const executed: string[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(SessionService, {
      listSessions: () => ({ sessions: [...sessions] }),
      async *executeInSession({ sessionId, sql }) {
        executed.push(`${sql} ${sessionId}`);
        yield {};
      },
      closeSession: ({ sessionId }) => {
        ended.push(sessionId);
        return { transactionLost: false };
      },
    });
  });
  const core = coreOver(transport);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  const connections = new Connections(core, link);
  const spec = { name: "shop", secretPlace: SecretPlace.ASK };
  connections.store.setState({ kind: "ready", value: [create(ConnectionSchema, { id: "asks", spec })] }, true);
  const kept = JSON.stringify({ tabs: tabs.map((tab, index) => ({ id: `tab-${index}`, title: "Query", connectionId: "c", text: "", ...tab })) });
  const items = new Map([[TABS_KEY, tabs.length === 0 ? "" : kept], [HELD_KEY, JSON.stringify(held)]]);
  const store = new Tabs({ getItem: (key) => items.get(key) ?? null, setItem: () => undefined }, () => "new");
  const leases = new Leases(core, link, connections, new DriverList(core, link), "page");
  const of = new TabSessions(core, link, leases, store, "page");
  return { of, tabs: store, leases, ended, executed, connections, find: (isNew = true) => of.find(connections, isNew) };
}

test("a page that is loaded again has its sessions as they are, and says which one ended", async () => {
  const { of, find, tabs, ended } = page([{ sessionId: "a" }, { sessionId: "b" }, {}], [held("a", { transactionState: TransactionState.OPEN })]);
  await find();
  expect(of.of("tab-0")).toMatchObject({ kind: "open", sessionId: "a", transaction: TransactionState.OPEN });
  expect(of.of("tab-1")).toMatchObject({ kind: "lost" });
  expect(of.of("tab-2")).toEqual({ kind: "none" });
  expect(tabs.store.getState().tabs[1]?.sessionId).toBeUndefined();
  expect(ended).toEqual([]);
});

test("a session that was lost stays lost over a reload, and what was meant for it is refused once", async () => {
  const first = page([{ sessionId: "a" }], []);
  await first.find();
  const again = page(first.tabs.store.getState().tabs, []);
  await again.find();
  const [tab] = again.tabs.store.getState().tabs;
  if (tab === undefined) throw new Error("it is there");
  expect(await again.of.place(tab)).toEqual(refusedByLoss("Core does not hold it any more"));
  // Told, it opens a session, and is not taken for a tab without one.
  const told = page(again.tabs.store.getState().tabs, []);
  expect(told.of.of("tab-0")).toMatchObject({ kind: "lost", isTold: true });
  // Whoever wants none has none.
  await told.of.close("tab-0");
  expect(page(told.tabs.store.getState().tabs, []).of.of("tab-0")).toEqual({ kind: "none" });
});

test("a password is not asked for again after a reload, and a session that nobody has any use for ends", async () => {
  const sessions = [held("shared", { connectionId: "asks", transactionState: TransactionState.OPEN }), held("left"), held("theirs", { frontEndId: "other" })];
  const { of, find, leases, ended } = page([{ connectionId: "asks", holds: "shared" }], sessions);
  await find();
  expect(await leases.place("asks")).toEqual({ sessionId: "shared" });
  expect(of.of("tab-0")).toMatchObject({ kind: "open", isShared: true, transaction: TransactionState.OPEN });
  await expect.poll(() => ended).toEqual(["left"]);
});

test("a page that looks again ends nothing, and loses no session that was opened meanwhile", async () => {
  const of = page([{}], [held("left")]);
  const looked = of.find(false);
  of.tabs.change("tab-0", { sessionId: "new" });
  await looked;
  expect(of.of.of("tab-0").kind).toBe("none");
  expect(of.ended).toEqual([]);
});

test("a tab that goes to another connection leaves its session behind", async () => {
  const { of, find, tabs, ended } = page([{ sessionId: "a" }], [held("a")]);
  await find();
  tabs.change("tab-0", { connectionId: "asks" });
  expect(of.of("tab-0")).toEqual({ kind: "none" });
  await expect.poll(() => ended).toEqual(["a"]);
  expect(tabs.store.getState().tabs[0]?.sessionId).toBeUndefined();
});

test("after a reload the transaction of a shared session is that of the tab that ran there last, whatever was shown before", async () => {
  const { OPEN, IDLE } = TransactionState;
  const kept = [{ connectionId: "asks", holds: "shared" }, { connectionId: "asks" }];
  const { of, find, tabs, leases, executed } = page(kept, [held("shared", { connectionId: "asks", transactionState: OPEN })]);
  for (const tab of tabs.store.getState().tabs) of.attach(tab);
  await find();
  expect(["tab-0", "tab-1"].map((id) => of.of(id))).toMatchObject([{ transaction: OPEN, isShared: true }, { transaction: IDLE, isShared: true }]);
  // The other one is offered a session of its own, and rolls nothing back when it goes.
  const [, other] = tabs.store.getState().tabs;
  if (other === undefined) throw new Error("it is there");
  const placed = of.place(other);
  await expect.poll(() => leases.question.getState().open?.own?.holder?.tabId).toBe("tab-0");
  leases.decline();
  expect(await placed).toBeUndefined();
  expect(await of.close("tab-1")).toBe(false);
  expect(executed).toEqual([]);
});

test("what Core says of a transaction comes before what an old page took it for", async () => {
  const { OPEN, IDLE, UNSPECIFIED } = TransactionState;
  const sessions = [held("a", { transactionState: OPEN })];
  const { of, find, tabs } = page([{ sessionId: "a" }], sessions);
  const [tab] = tabs.store.getState().tabs;
  if (tab === undefined) throw new Error("it is there");
  const begun = find(false);
  of.attach(tab);
  await begun;
  expect(of.of(tab.id)).toMatchObject({ transaction: OPEN });
  expect(of.of(tab.id)).toMatchObject({ transaction: OPEN });
  sessions[0] = held("a", { transactionState: IDLE });
  await find(false);
  expect(of.of(tab.id)).toMatchObject({ transaction: IDLE });
  // What runs may have begun one, and what is told meanwhile is newer than the look.
  const looked = find(false);
  of.hearRun(tab.id, "a", OPEN);
  await looked;
  expect(of.of(tab.id)).toMatchObject({ transaction: OPEN });
  const runs = page([{ sessionId: "a" }], [held("a", { activity: SessionActivity.RUNNING })]);
  await runs.find();
  expect(runs.of.of("tab-0")).toMatchObject({ transaction: UNSPECIFIED });
});

test("a transaction of a shared session whose tab is gone is rolled back, and the session stays", async () => {
  const { find, leases, executed, ended } = page([{ connectionId: "asks" }], [held("shared", { connectionId: "asks", transactionState: TransactionState.OPEN })]);
  await find();
  await expect.poll(() => executed).toEqual(["ROLLBACK shared"]);
  expect([ended, await leases.place("asks")]).toEqual([[], { sessionId: "shared" }]);
});

test("a page that does not know its connections ends nothing, until it does", async () => {
  const { find, connections, leases, ended } = page([{ connectionId: "asks" }], [held("shared", { connectionId: "asks" }), held("left")]);
  const ready = connections.store.getState();
  connections.store.setState({ kind: "loading" }, true);
  await find();
  expect([ended, leases.has("shared")]).toEqual([[], false]);
  connections.store.setState(ready, true);
  await find(false);
  expect(leases.has("shared")).toBe(true);
  await expect.poll(() => ended).toEqual(["left"]);
});

test("a page whose tabs Core alone has ends nothing until they have come", async () => {
  const { OPEN } = TransactionState;
  const shared = held("shared", { connectionId: "asks", transactionState: OPEN });
  const left = [["draft", { sessionId: "a" }], ["other", { holds: "shared" }]] as const;
  const { of, find, tabs, ended, executed, leases } = page([], [held("a", { transactionState: OPEN }), shared, held("left")], left);
  // Their texts cannot be read, and a query is opened meanwhile.
  await find();
  tabs.open("c");
  await find(false);
  expect([ended, executed]).toEqual([[], []]);
  const text = { title: "Query", text: "select 1" };
  tabs.restore([{ ...text, id: "draft", connectionId: "c" }, { ...text, id: "other", connectionId: "asks" }]);
  await find(false);
  expect(["draft", "other"].map((id) => of.of(id))).toMatchObject([{ sessionId: "a", transaction: OPEN }, { sessionId: "shared", isShared: true, transaction: OPEN }]);
  expect(leases.has("shared")).toBe(true);
  await expect.poll(() => ended).toEqual(["left"]);
  expect(executed).toEqual([]);
});

test("a session of a connection as it was stays over a reload, and ends with its transaction", async () => {
  const sessions = [held("a", { connectionId: "asks", transactionState: TransactionState.OPEN })];
  const { of, find, leases, ended } = page([{ connectionId: "asks", sessionId: "a", isOld: true }], sessions);
  await find();
  expect([of.of("tab-0"), leases.has("a"), ended]).toMatchObject([{ kind: "open", isShared: false }, false, []]);
  sessions[0] = held("a", { connectionId: "asks" });
  await find(false);
  expect(of.of("tab-0").kind).toBe("lost");
  await expect.poll(() => ended).toEqual(["a"]);
});

test("until Core has told of them, sessions that were kept over a reload count as in a transaction, those that are shared too", async () => {
  const { UNSPECIFIED, OPEN } = TransactionState;
  const sessions = [held("shared", { connectionId: "asks", transactionState: OPEN }), held("a", { transactionState: OPEN })];
  const { of, find, tabs, leases, executed, ended } = page([{ connectionId: "asks", holds: "shared" }, { sessionId: "a" }], sessions);
  expect(["tab-0", "tab-1"].map((id) => of.of(id))).toMatchObject([{ transaction: UNSPECIFIED, isShared: true }, { transaction: UNSPECIFIED, isShared: false }]);
  // A run meanwhile is asked for no password.
  const [first] = tabs.store.getState().tabs;
  if (first === undefined) throw new Error("it is there");
  expect(await of.place(first)).toEqual({ sessionId: "shared" });
  expect(leases.question.getState().open).toBeUndefined();
  await find();
  expect(["tab-0", "tab-1"].map((id) => of.of(id))).toMatchObject([{ transaction: OPEN }, { transaction: OPEN }]);
  expect([executed, ended]).toEqual([[], []]);
});
