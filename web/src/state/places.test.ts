import { expect, test, vi } from "vitest";
import { EndCause } from "../gen/core/v1/query_pb.ts";
import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import { asking, held, idOf, keeping, page, sharing } from "./fake_sessions.ts";
import { Runs } from "./runs.ts";
import { CHANGED, MOVED, NOT_OPENED, refused, refusedByLoss } from "./tab_session.ts";

type Of = Awaited<ReturnType<typeof page>>;

const tabOf = (of: Of, id: string) => {
  const tab = of.tabs.store.getState().tabs.find((candidate) => candidate.id === id);
  if (tab === undefined) throw new Error("it is there");
  return tab;
};
const poll = (what: () => unknown) => expect.poll(what, { timeout: 30_000 });

/** A page whose tab has a session on its way. */
async function opening() {
  const of = await page(keeping("staging", "staging"), keeping("prod", "prod"));
  const tab = of.tabs.open("staging");
  const gate = held();
  of.gate.open = gate.wait;
  const opened = of.sessions.open(tab);
  await poll(() => of.opened.length).toBe(1);
  const arrive = async () => {
    gate.go();
    await opened;
    return of.opened[0]?.sessionId ?? "";
  };
  return { of, tab, arrive };
}

test("a session that comes when its tab is on another connection is ended, and nothing runs in it", async () => {
  const { of, tab, arrive } = await opening();
  of.tabs.change(tab.id, { connectionId: "prod" });
  const sessionId = await arrive();
  await poll(() => of.ended).toEqual([sessionId]);
  expect([of.sessions.of(tab.id).kind, tabOf(of, tab.id).sessionId]).toEqual(["none", undefined]);
  expect(await of.sessions.place(tabOf(of, tab.id))).toMatchObject({ connection: { key: { value: "prod" } } });
  // Neither is one whose tab went there and came back.
  const other = await opening();
  for (const connectionId of ["prod", "staging"]) other.of.tabs.change(other.tab.id, { connectionId });
  const late = await other.arrive();
  await poll(() => other.of.ended).toEqual([late]);
  expect(other.of.sessions.of(other.tab.id).kind).toBe("none");
});

test("a session that comes when its connection leads elsewhere, its tab is closed, or it was given up, is ended", async () => {
  const changed = await opening();
  await changed.of.save(keeping("staging", "elsewhere"));
  const gone = await opening();
  gone.of.tabs.close(gone.tab.id);
  const left = await opening();
  await left.of.sessions.close(left.tab.id);
  for (const { of, arrive } of [changed, gone, left]) {
    const sessionId = await arrive();
    await poll(() => of.ended).toEqual([sessionId]);
  }
  expect(changed.of.sessions.of(changed.tab.id)).toMatchObject({ kind: "lost", why: "its connection was changed" });
});

test("a run waits for a session that is being opened, and runs there", async () => {
  const { of, tab, arrive } = await opening();
  let place: unknown;
  const placed = of.sessions.place(tab).then((found) => (place = found));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(place).toBeUndefined();
  const sessionId = await arrive();
  await placed;
  expect(place).toEqual({ sessionId });
});

test("a run that waits for a session runs nowhere when that does not come, or the tab goes elsewhere", async () => {
  const rejected = await opening();
  rejected.of.gate.rejection = "too many connections";
  const waiting = rejected.of.sessions.place(rejected.tab);
  await rejected.arrive();
  expect(await waiting).toEqual(NOT_OPENED);
  const moved = await opening();
  const there = moved.of.sessions.place(moved.tab);
  moved.of.tabs.change(moved.tab.id, { connectionId: "prod" });
  expect(await there).toEqual(MOVED);
  const changed = await opening();
  const then = changed.of.sessions.place(changed.tab);
  await changed.of.save(keeping("staging", "elsewhere"));
  expect(await then).toEqual(refusedByLoss("its connection was changed"));
});

test("the first run after a loss runs nowhere and says so, and the next one opens a session as it was", async () => {
  const of = await page(keeping("shop", "staging"), asking("asks", "prod"));
  const tab = of.tabs.open("shop");
  await of.sessions.open(tab);
  const first = of.opened[0]?.sessionId ?? "";
  of.sessions.hearEnd(first, EndCause.IDLE, true);
  const why = "it was not used for its idle limit; its transaction was rolled back";
  expect(await of.sessions.place(tab)).toEqual(refusedByLoss(why));
  expect(of.opened).toHaveLength(1);
  // One that cannot be had is no reason to run without one.
  of.gate.rejection = "too many connections";
  expect(await of.sessions.place(tab)).toEqual(refused("too many connections"));
  expect(of.sessions.of(tab.id)).toMatchObject({ kind: "lost", why });
  of.gate.rejection = "";
  const second = await idOf(of.sessions.place(tab));
  expect(of.opened.at(-1)?.sessionId).toBe(second);
  expect(of.sessions.of(tab.id)).toMatchObject({ kind: "open", sessionId: second, isShared: false });
  expect(tabOf(of, tab.id).sessionId).toBe(second);

  // A session that was a tab's own is no other tab's either.
  const shares = of.tabs.open("asks");
  const shared = of.sessions.place(shares);
  await of.leases.answer("secret");
  await shared;
  const owns = of.tabs.open("asks");
  const own = of.sessions.own(owns);
  await of.leases.answer("secret");
  of.sessions.hearEnd(await idOf(own), EndCause.DRIVER_DIED, false);
  expect(await of.sessions.place(owns)).toEqual(refusedByLoss("the driver died"));
  const again = of.sessions.place(owns);
  expect(of.leases.question.getState().open?.own).toEqual({ tabId: owns.id });
  of.leases.decline();
  expect(await again).toBeUndefined();
  expect(of.sessions.of(owns.id).kind).toBe("lost");
});

test("what was meant for a lost session does not run without one when the new one is given up while it opens", async () => {
  const of = await page(keeping("shop", "staging"));
  const tab = of.tabs.open("shop");
  await of.sessions.open(tab);
  of.sessions.hearEnd(of.opened[0]?.sessionId ?? "", EndCause.DRIVER_DIED, false);
  expect(await of.sessions.place(tab)).toEqual(refusedByLoss("the driver died"));
  const gate = held();
  of.gate.open = gate.wait;
  const placed = of.sessions.place(tab);
  await poll(() => of.opened.length).toBe(2);
  await of.sessions.close(tab.id);
  gate.go();
  expect(await placed).toEqual(NOT_OPENED);
});

test("a loss that a tab shows already is not told once more", async () => {
  const of = await page(keeping("shop", "staging"));
  const tab = of.tabs.open("shop");
  await of.sessions.open(tab);
  const first = of.opened[0]?.sessionId ?? "";
  of.sessions.hearEnd(first, EndCause.CONNECTION_LOST, true);
  of.sessions.tell(tab.id, "another one");
  expect(of.sessions.of(tab.id)).toMatchObject({ isTold: false });
  of.sessions.tell(tab.id, first);
  expect(await idOf(of.sessions.place(tab))).toBe(of.opened[1]?.sessionId);
});

test("a session of the old place is not taken for the new one's: the run is refused, and the next one has a session there", async () => {
  const of = await page(keeping("shop", "staging"));
  const tab = of.tabs.open("shop");
  await of.sessions.open(tab);
  const first = of.opened[0]?.sessionId ?? "";
  of.sessions.hearRun(tab.id, first, TransactionState.OPEN);
  await of.save(keeping("shop", "prod"));
  expect(of.ended).toEqual([]);
  of.sessions.hearRun(tab.id, first, TransactionState.IDLE);
  await poll(() => of.ended).toEqual([first]);
  expect(await of.sessions.place(tabOf(of, tab.id))).toEqual(refusedByLoss("its connection was changed"));
  await of.sessions.place(tabOf(of, tab.id));
  expect(of.opened.map(({ host }) => host)).toEqual(["staging", "prod"]);
});

test("what waits for a password runs nowhere once its tab, or the connection, leads elsewhere", async () => {
  const of = await page(asking("asks", "staging"), keeping("prod", "prod"));
  const tab = of.tabs.open("asks");
  const placed = of.sessions.place(tab);
  of.tabs.change(tab.id, { connectionId: "prod" });
  await of.leases.answer("secret");
  expect(await placed).toEqual(MOVED);
  expect(of.sessions.of(tab.id).kind).toBe("none");
  const other = of.tabs.open("asks");
  const again = of.tabs.open("asks");
  await of.sessions.place(other);
  // Neither does one for a session of its own.
  const own = of.sessions.place(again, () => other.id);
  of.tabs.change(again.id, { connectionId: "prod" });
  await of.leases.answer("secret");
  expect(await own).toEqual(MOVED);
  const changed = of.sessions.place(of.tabs.open("asks"), () => other.id);
  await of.save(asking("asks", "elsewhere"));
  expect(await changed).toEqual(CHANGED);
});

test("what waits behind a closed tab's end runs nowhere once its tab is elsewhere", async () => {
  const of = await page(asking("asks", "staging"), keeping("prod", "prod"));
  const [first, second] = [of.tabs.open("asks"), of.tabs.open("asks")];
  const placed = of.sessions.place(first);
  await of.leases.answer("secret");
  of.sessions.hearRun(first.id, await idOf(placed), TransactionState.OPEN);
  const gate = held();
  of.gate.execute = gate.wait;
  const closed = of.sessions.close(first.id);
  const waits = of.sessions.place(second);
  of.tabs.change(second.id, { connectionId: "prod" });
  gate.go();
  await closed;
  expect(await waits).toEqual(MOVED);
});

test("a run that was cancelled while it waited asks for no password later", async () => {
  const of = await page(asking("asks", "staging"));
  const [first, second] = [of.tabs.open("asks"), of.tabs.open("asks")];
  const placed = of.sessions.place(first);
  await of.leases.answer("secret");
  of.sessions.hearRun(first.id, await idOf(placed), TransactionState.OPEN);
  const gate = held();
  of.gate.execute = async () => {
    await gate.wait();
    throw new Error("it is not rolled back");
  };
  const closed = of.sessions.close(first.id);
  const runs = new Runs(of.core, of.link, of.sessions, of.leases, of.tabs, "page");
  const ran = runs.run(second, { sql: "select 1", offset: 0 }, {});
  expect(runs.of(second.id).kind).toBe("starting");
  await runs.cancel(second.id);
  expect([await ran, runs.of(second.id).kind]).toEqual([undefined, "idle"]);
  gate.go();
  await closed;
  await new Promise((resolve) => setTimeout(resolve));
  expect(of.leases.question.getState().open).toBeUndefined();
  // Whoever presses again is asked.
  void of.sessions.place(second);
  expect(of.leases.question.getState().open?.connectionId).toBe("asks");
});

test("a rollback that is swallowed ends its session, so that nobody waits for it for ever", async () => {
  const of = await page(asking("asks", "staging"));
  const { first, second, shared } = await sharing(of, "asks");
  of.sessions.hearRun(first.id, shared, TransactionState.OPEN);
  vi.useFakeTimers();
  of.gate.execute = held().wait;
  const closed = of.sessions.close(first.id);
  void of.sessions.place(second);
  await vi.advanceTimersByTimeAsync(31_000);
  await closed;
  vi.useRealTimers();
  expect(of.ended).toEqual([shared]);
  await poll(() => of.leases.question.getState().open?.connectionId).toBe("asks");
});

test("a commit whose answer is swallowed is not waited for for ever", async () => {
  const of = await page(keeping("shop", "staging"));
  const tab = of.tabs.open("shop");
  await of.sessions.open(tab);
  of.sessions.hearRun(tab.id, of.opened[0]?.sessionId ?? "", TransactionState.OPEN);
  vi.useFakeTimers();
  of.gate.execute = held().wait;
  const finished = of.sessions.finish(tab.id, "COMMIT");
  await vi.advanceTimersByTimeAsync(121_000);
  // Core has no transaction there any more.
  expect(await finished).toEqual({ kind: "unknown", isOver: true });
  vi.useRealTimers();
  expect(of.sessions.of(tab.id)).toMatchObject({ kind: "open", isBusy: false, transaction: TransactionState.IDLE });
});

test("a new page ends no session that it opens itself", async () => {
  const { of, tab, arrive } = await opening();
  await of.sessions.find(of.list, true);
  const sessionId = await arrive();
  expect(of.sessions.of(tab.id)).toMatchObject({ kind: "open", sessionId });
  const asks = await page(asking("asks", "staging"));
  const gate = held();
  asks.gate.open = gate.wait;
  const place = asks.leases.place("asks");
  const answered = asks.leases.answer("secret");
  await poll(() => asks.opened.length).toBe(1);
  await asks.sessions.find(asks.list, true);
  gate.go();
  await answered;
  await place;
  expect([of.ended, asks.ended]).toEqual([[], []]);
});
