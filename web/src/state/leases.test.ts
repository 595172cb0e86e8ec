import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { EnvironmentColor, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { EndCause } from "../gen/core/v1/query_pb.ts";
import { ErrorInfoSchema } from "../gen/google/rpc/error_info_pb.ts";
import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import { asking, idOf, page, sharing } from "./fake_sessions.ts";
import { leadsTo } from "./leads_to.ts";
import { refusedByLoss } from "./tab_session.ts";

const asked = (of: Awaited<ReturnType<typeof page>>) => of.leases.question.getState().open?.connectionId;

test("a connection that leads elsewhere asks again, and its session ends", async () => {
  const of = await page(asking("shop", "staging"));
  const tab = of.tabs.open("shop");
  const first = of.sessions.place(tab);
  await of.leases.answer("secret");
  const sessionId = await idOf(first);
  await of.save(asking("shop", "prod"));
  await expect.poll(() => of.ended, { timeout: 30_000 }).toEqual([sessionId]);
  expect(of.sessions.of(tab.id)).toEqual({ kind: "lost", why: "its connection was changed", sessionId, isShared: true, isTold: false });
  // Nothing runs at the new place before that is told.
  expect(await of.sessions.place(tab)).toEqual(refusedByLoss("its connection was changed"));
  void of.sessions.place(tab);
  expect(asked(of)).toBe("shop");
  await of.leases.answer("other");
  expect(of.opened.map(({ host, password }) => [host, password])).toEqual([
    ["staging", "secret"],
    ["prod", "other"],
  ]);
});

test("another name and color end no session", async () => {
  const of = await page(asking("shop", "staging"));
  const first = of.leases.place("shop");
  await of.leases.answer("secret");
  const place = await first;
  await of.save(asking("shop", "staging", { name: "our shop", color: EnvironmentColor.RED }));
  expect(of.ended).toEqual([]);
  expect(await of.leases.place("shop")).toEqual(place);
});

test("a password that was offered goes to no other server", async () => {
  const of = await page(asking("shop", "staging"));
  of.leases.offer("shop", "secret");
  await of.save(asking("shop", "prod"));
  void of.leases.place("shop");
  expect(asked(of)).toBe("shop");
  expect(of.opened).toEqual([]);
  // Of one that was removed nothing stays either.
  of.leases.decline();
  of.leases.offer("shop", "secret");
  of.kept.delete("shop");
  await of.list.load();
  await of.save(asking("shop", "prod"));
  void of.leases.place("shop");
  expect(of.opened).toEqual([]);
});

test("a session that was being opened while its connection changed is not used", async () => {
  const of = await page(asking("shop", "staging"));
  const place = of.leases.place("shop");
  let arrive: () => void = () => undefined;
  of.gate.open = () => new Promise((resolve) => (arrive = resolve));
  const answered = of.leases.answer("secret");
  await expect.poll(() => of.opened.length, { timeout: 30_000 }).toBe(1);
  await of.save(asking("shop", "prod"));
  expect(await place).toBeUndefined();
  arrive();
  await answered;
  await expect.poll(() => of.ended, { timeout: 30_000 }).toEqual(of.opened.map(({ sessionId }) => sessionId));
  void of.leases.place("shop");
  expect(asked(of)).toBe("shop");
});

test("two questions are asked one after the other, and each answer is its own connection's", async () => {
  const of = await page(asking("one", "a"), asking("two", "b"));
  const [one, two, again] = [of.leases.place("one"), of.leases.place("two"), of.leases.place("one")];
  expect(asked(of)).toBe("one");
  await of.leases.answer("1");
  expect(asked(of)).toBe("two");
  await of.leases.answer("2");
  expect(asked(of)).toBeUndefined();
  expect(of.opened.map(({ host, password }) => [host, password])).toEqual([
    ["a", "1"],
    ["b", "2"],
  ]);
  const ids = of.opened.map(({ sessionId }) => sessionId);
  expect([await one, await two, await again]).toEqual([{ sessionId: ids[0] }, { sessionId: ids[1] }, { sessionId: ids[0] }]);
});

test("who declines one question is asked the next", async () => {
  const of = await page(asking("one", "a"), asking("two", "b"));
  const [one, two] = [of.leases.place("one"), of.leases.place("two")];
  of.leases.decline();
  expect(await one).toBeUndefined();
  expect(asked(of)).toBe("two");
  of.leases.decline();
  expect(await two).toBeUndefined();
});

test("a tab takes the shared session when it is free, and asks for one of its own when another runs or holds a transaction there", async () => {
  const of = await page(asking("shop", "staging"));
  const [first, second] = [of.tabs.open("shop", "", "First"), of.tabs.open("shop", "", "Second")];
  const placed = of.sessions.place(first);
  await of.leases.answer("secret");
  const shared = await idOf(placed);
  // Idle: both use it.
  expect(await of.sessions.place(second)).toEqual({ sessionId: shared });
  const { OPEN, IDLE } = TransactionState;

  // The first has a transaction: only it goes on there, and the second says so to its user.
  of.sessions.hearRun(first.id, shared, OPEN);
  expect(of.sessions.of(second.id)).toMatchObject({ transaction: IDLE });
  expect(await of.sessions.place(first)).toEqual({ sessionId: shared });
  const held = of.sessions.place(second);
  expect(of.leases.question.getState().open?.own).toEqual({ tabId: second.id, holder: { tabId: first.id, title: "First", isRunning: false } });
  of.leases.decline();
  expect(await held).toBeUndefined();

  // Something runs in it: the password is asked for once more, and the session is this tab's alone.
  of.sessions.hearRun(first.id, shared, IDLE);
  const beside = of.sessions.place(second, () => first.id);
  expect(of.leases.question.getState().open?.own?.holder).toMatchObject({ title: "First", isRunning: true });
  await of.leases.answer("again");
  const own = await idOf(beside);
  expect(of.opened.map(({ sessionId, password }) => [sessionId, password])).toEqual([
    [shared, "secret"],
    [own, "again"],
  ]);
  expect(of.sessions.of(second.id)).toMatchObject({ sessionId: own, isShared: false });
  expect(of.tabs.store.getState().tabs.find(({ id }) => id === second.id)?.sessionId).toBe(own);
  expect(await of.leases.place("shop")).toEqual({ sessionId: shared });
  // Given up, it ends, and the connection's is used again.
  await of.sessions.close(second.id);
  expect(of.ended).toEqual([own]);
  expect(await of.sessions.place(second)).toEqual({ sessionId: shared });
});

test("a session that was opened for a tab that is gone is not left behind", async () => {
  const of = await page(asking("shop", "staging"));
  const tab = of.tabs.open("shop");
  const own = of.sessions.own(tab);
  of.tabs.close(tab.id);
  await of.leases.answer("secret");
  expect(await own).toBeUndefined();
  await expect.poll(() => of.ended, { timeout: 30_000 }).toEqual(of.opened.map(({ sessionId }) => sessionId));
});

test("a password that was offered is not held for long", async () => {
  const of = await page(asking("shop", "staging"));
  vi.useFakeTimers();
  of.leases.offer("shop", "secret");
  vi.advanceTimersByTime(61_000);
  vi.useRealTimers();
  void of.leases.place("shop");
  expect(asked(of)).toBe("shop");
  expect(of.opened).toEqual([]);
});

test("a transaction in the shared session is rolled back with its tab, and the session stays", async () => {
  const of = await page(asking("shop", "staging"));
  const { first, second, shared } = await sharing(of, "shop");
  of.sessions.hearRun(first.id, shared, TransactionState.OPEN);
  expect(await of.sessions.close(first.id)).toBe(true);
  expect([of.executed, of.ended]).toEqual([[`ROLLBACK ${shared}`], []]);
  expect(await of.sessions.place(second)).toEqual({ sessionId: shared });
  expect(await of.sessions.close(second.id)).toBe(false);
});

test("nobody runs in a shared session before what a closed tab left there is rolled back", async () => {
  const of = await page(asking("shop", "staging"));
  const { first, second, shared } = await sharing(of, "shop");
  let stopped: () => void = () => undefined;
  let rolledBack: () => void = () => undefined;
  of.gate.execute = () => new Promise((resolve) => (rolledBack = resolve));
  // Its script was under way: nobody knows what it has begun.
  const closed = of.sessions.close(first.id, { sessionId: shared, over: new Promise((resolve) => (stopped = resolve)) });
  let place: unknown;
  void of.sessions.place(second).then((found) => (place = found));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([of.executed, place]).toEqual([[], undefined]);
  stopped();
  await expect.poll(() => of.executed, { timeout: 30_000 }).toEqual([`ROLLBACK ${shared}`]);
  expect(place).toBeUndefined();
  rolledBack();
  await closed;
  await expect.poll(() => place, { timeout: 30_000 }).toEqual({ sessionId: shared });
  // What ran elsewhere has nothing to do with it.
  await of.sessions.close(second.id, { sessionId: "other", over: Promise.resolve() });
  expect(of.executed).toHaveLength(1);
});

test("what a closed tab left is rolled back once its session is free, and never runs beside another one's", async () => {
  const of = await page(asking("shop", "staging"));
  const { first, second, shared } = await sharing(of, "shop");
  of.sessions.hearRun(first.id, shared, TransactionState.OPEN);
  const busy = new ConnectError("the session runs something", Code.FailedPrecondition, undefined, [{ desc: ErrorInfoSchema, value: { domain: "querybox", reason: "SESSION_BUSY" } }]);
  of.gate.execute = () => (of.executed.length < 3 ? Promise.reject(busy) : Promise.resolve());
  const closed = of.sessions.close(first.id);
  let place: unknown;
  void of.sessions.place(second).then((found) => (place = { found, tries: of.executed.length }));
  await closed;
  await expect.poll(() => place, { timeout: 30_000 }).toEqual({ found: { sessionId: shared }, tries: 3 });
  expect(of.ended).toEqual([]);
});

test("a tab's own session that ends does not take the connection's with it", async () => {
  const of = await page(asking("shop", "staging"));
  const place = of.leases.place("shop");
  await of.leases.answer("secret");
  const shared = await idOf(place);
  const ended = new ConnectError("ended", Code.FailedPrecondition, undefined, [{ desc: ErrorInfoSchema, value: { domain: "querybox", reason: "SESSION_ENDED" } }]);
  of.leases.hear("own", ended);
  expect(of.leases.has(shared)).toBe(true);
  of.leases.hear(shared, ended);
  expect(of.leases.has(shared)).toBe(false);
});

test("a transaction is not ended unasked by a change elsewhere: its tab stays until it is over", async () => {
  for (const isShared of [true, false]) {
    const of = await page(asking("shop", "staging"));
    const [first, second] = [of.tabs.open("shop"), of.tabs.open("shop")];
    const placed = isShared ? of.sessions.place(first) : of.sessions.own(first);
    await of.leases.answer("secret");
    const sessionId = await idOf(placed);
    if (isShared) expect(await of.sessions.place(second)).toEqual({ sessionId });
    of.sessions.hearRun(first.id, sessionId, TransactionState.OPEN);
    const told: string[] = [];
    of.sessions.onStay((tab, isGone) => told.push(`${tab.id} ${isGone}`));
    await of.save(asking("shop", "prod"));
    expect([told, of.ended]).toEqual([[`${first.id} false`], []]);
    expect(of.sessions.of(first.id)).toMatchObject({ sessionId, isShared: false, transaction: TransactionState.OPEN });
    expect(of.sessions.of(second.id).kind).toBe(isShared ? "lost" : "none");
    expect(await of.sessions.place(first)).toEqual({ sessionId });
    // The others go to the new place, and a second change says nothing new.
    if (isShared) expect(await of.sessions.place(second)).toEqual(refusedByLoss("its connection was changed"));
    void of.sessions.place(second);
    expect(asked(of)).toBe("shop");
    of.kept.delete("shop");
    await of.list.load();
    expect([told, of.ended]).toEqual([[`${first.id} false`], []]);
    of.sessions.hearRun(first.id, sessionId, TransactionState.IDLE);
    expect(of.sessions.of(first.id)).toEqual({ kind: "lost", why: "its connection was changed", sessionId, isShared: false, isTold: false });
    await expect.poll(() => of.ended, { timeout: 30_000 }).toEqual([sessionId]);
  }
});

test("who changes a connection here was asked, and its transactions end", async () => {
  const of = await page(asking("shop", "staging"));
  const tab = of.tabs.open("shop");
  const placed = of.sessions.place(tab);
  await of.leases.answer("secret");
  const shared = await idOf(placed);
  of.sessions.hearRun(tab.id, shared, TransactionState.OPEN);
  await of.leases.changed("shop", () => of.save(asking("shop", "prod")));
  await expect.poll(() => of.ended, { timeout: 30_000 }).toEqual([shared]);
  expect(of.sessions.of(tab.id).kind).toBe("lost");
});

test("a password that goes from one keeper to another changes no place", () => {
  const { spec } = asking("shop", "staging");
  if (spec === undefined) throw new Error("it is there");
  const [vault, keyring] = [SecretPlace.VAULT, SecretPlace.KEYRING].map((secretPlace) => leadsTo({ ...spec, secretPlace }));
  expect(vault).toBe(keyring);
  expect(leadsTo(spec)).not.toBe(vault);
});

test("what a closed tab left while Core was away is ended when it is there again, and nobody runs there before", async () => {
  const of = await page(asking("shop", "staging"));
  const { first, second, shared } = await sharing(of, "shop");
  of.sessions.hearRun(first.id, shared, TransactionState.OPEN);
  of.gate.away = true;
  of.gate.execute = () => Promise.reject(new ConnectError("Failed to fetch", Code.Unknown));
  await of.sessions.close(first.id);
  void of.sessions.place(second);
  expect(asked(of)).toBe("shop");
  of.gate.away = false;
  await of.sessions.find(of.list, false);
  await expect.poll(() => of.ended, { timeout: 30_000 }).toEqual([shared]);
});

test("the end of a shared session refuses the tab that ran there last, and asks the others for the password at once", async () => {
  const of = await page(asking("shop", "staging"));
  const { first, second, shared } = await sharing(of, "shop");
  await of.sessions.place(second);
  of.sessions.hearEnd(shared, EndCause.IDLE, false);
  expect(await of.sessions.place(second)).toEqual(refusedByLoss("it was not used for its idle limit"));
  expect(asked(of)).toBeUndefined();
  const again = of.sessions.place(first);
  expect(asked(of)).toBe("shop");
  await of.leases.answer("again");
  expect(await idOf(again)).toBe(of.opened[1]?.sessionId);
});

test("a session whose end, or whose answer, does not come through is ended once Core is there again", async () => {
  const of = await page(asking("shop", "staging"));
  const place = of.leases.place("shop");
  await of.leases.answer("secret");
  const first = await idOf(place);
  of.gate.away = true;
  await of.save(asking("shop", "prod"));
  void of.leases.place("shop");
  of.gate.open = () => Promise.reject(new ConnectError("Failed to fetch", Code.Unknown));
  await of.leases.answer("other");
  expect(of.leases.question.getState().open).toMatchObject({ busy: false });
  of.gate.away = false;
  await of.sessions.find(of.list, false);
  await expect.poll(() => [...of.ended].sort(), { timeout: 30_000 }).toEqual([first, of.opened[1]?.sessionId].sort());
});

test("a password that was typed already is forgotten with its use, and one that is typed again has its own time", async () => {
  vi.useFakeTimers();
  try {
    const of = await page(asking("shop", "staging"));
    const timers = vi.getTimerCount();
    of.leases.offer("shop", "secret");
    await of.leases.place("shop");
    expect(vi.getTimerCount()).toBe(timers);
    of.leases.forget(of.opened[0]?.sessionId ?? "");
    await vi.advanceTimersByTimeAsync(50_000);
    of.leases.offer("shop", "secret");
    await vi.advanceTimersByTimeAsync(50_000);
    await of.leases.place("shop");
    expect(of.opened.map(({ password }) => password)).toEqual(["secret", "secret"]);
    // What nobody uses goes by itself.
    of.leases.forget(of.opened[1]?.sessionId ?? "");
    of.leases.offer("shop", "secret");
    await vi.advanceTimersByTimeAsync(60_000);
    void of.leases.place("shop");
    expect([asked(of), of.opened.length]).toEqual(["shop", 2]);
  } finally {
    vi.useRealTimers();
  }
});
