import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { EndCause } from "../gen/core/v1/query_pb.ts";
import { ResultDropCause } from "../gen/core/v1/event_pb.ts";
import { type Result, ResultSchema, ResultService, ResultState } from "../gen/core/v1/result_pb.ts";
import { SessionService } from "../gen/core/v1/session_pb.ts";
import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import { ErrorInfoSchema } from "../gen/google/rpc/error_info_pb.ts";
import { coreOver } from "../transport/core.ts";
import { Connections } from "./connections.ts";
import { DriverList } from "./drivers.ts";
import { Leases } from "./leases.ts";
import { LinkKeeper } from "./link.ts";
import { Runs } from "./runs.ts";
import { TabSessions } from "./tab_sessions.ts";
import { Tabs } from "./tabs.ts";

beforeEach(() => void vi.useFakeTimers());

const DONE = { statement: 0, returnsRows: true, rowCount: 1n, end: { case: "summary" as const, value: {} } };

/** A Core that keeps one result, as the test says. `undefined`: none that it knows. */
function page() {
  const kept: { result: Result | undefined } = { result: undefined };
  const notFound = new ConnectError("no such result", Code.NotFound, undefined, [
    { desc: ErrorInfoSchema, value: { domain: "querybox", reason: "RESULT_NOT_FOUND" } },
  ]);
  const [drops, asked]: [string[], string[]] = [[], []];
  const cancels: string[] = [];
  const gate = { run: async () => undefined as void, why: notFound, away: false, looks: 0 };
  const transport = createRouterTransport(({ service }) => {
    service(ResultService, {
      run: async ({ resultId }) => {
        asked.push(resultId);
        await gate.run();
        if (kept.result !== undefined) kept.result.resultId = resultId;
        return { result: kept.result };
      },
      attachResult: () => {
        gate.looks++;
        if (gate.away) throw new ConnectError("Failed to fetch", Code.Unknown);
        if (kept.result === undefined) throw gate.why;
        return { result: kept.result };
      },
      dropResult: ({ resultId }) => {
        if (gate.away) throw new ConnectError("Failed to fetch", Code.Unknown);
        drops.push(resultId);
        return {};
      },
    });
    service(SessionService, {
      cancelSession: ({ sessionId }) => {
        cancels.push(sessionId);
        return {};
      },
    });
  });
  const core = coreOver(transport);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  let made = 0;
  const items = new Map<string, string>();
  const storage = { getItem: (key: string) => items.get(key) ?? null, setItem: (key: string, value: string) => void items.set(key, value) };
  const tabs = new Tabs(storage, () => `tab-${made++}`);
  const leases = new Leases(core, link, new Connections(core, link), new DriverList(core, link), "page");
  const sessions = new TabSessions(core, link, leases, tabs, "page");
  const runs = new Runs(core, link, sessions, leases, tabs, "page");
  const say = (init: MessageInitShape<typeof ResultSchema>) => (kept.result = create(ResultSchema, { ...init, resultId: kept.result?.resultId ?? "" }));
  tabs.store.subscribe((now, before) => {
    for (const tab of before.tabs) if (!now.tabs.some(({ id }) => id === tab.id)) runs.forget(tab);
  });
  return { kept, runs, tabs, say, drops, cancels, asked, gate, sessions };
}

const begin = async (of: ReturnType<typeof page>, script: { readonly statementCount?: number; readonly goesOn?: boolean }) => {
  const tab = of.tabs.open("connection");
  await of.runs.run(tab, { sql: "select 1", offset: 0, ...script }, {});
  expect(of.runs.of(tab.id).kind).toBe("running");
  return tab;
};

/** Whether a wait for the end of a run is over by now. */
async function isThrough(wait: Promise<boolean>): Promise<boolean> {
  let through = false;
  void wait.then(() => (through = true));
  await vi.advanceTimersByTimeAsync(10);
  return through;
}

test("a run of which only the session's end is left is waited for", async () => {
  const of = page();
  of.say({ state: ResultState.RUNNING, statementCount: 1, statements: [DONE] });
  const tab = await begin(of, { statementCount: 1 });
  const wait = of.runs.closing(tab.id);
  expect(await isThrough(wait)).toBe(false);
  of.say({ state: ResultState.DONE, statementCount: 1, statements: [DONE] });
  of.runs.hear(of.kept.result?.resultId ?? "");
  expect(await isThrough(wait)).toBe(true);
  expect(of.runs.of(tab.id).kind).toBe("ended");
  expect(await isThrough(of.runs.closing(tab.id))).toBe(true);
});

test("a run that goes on is not waited for", async () => {
  const refused = { ...DONE, end: { case: "rejection" as const, value: {} } };
  for (const [statements, script] of [
    [[{ ...DONE, end: { case: undefined } }], { statementCount: 1 }],
    [[DONE], { statementCount: 2 }],
    [[DONE], {}],
    [[refused], { statementCount: 2, goesOn: true }],
    [[], { statementCount: 1 }],
  ] as const) {
    const of = page();
    of.say({ state: ResultState.RUNNING, statementCount: statements.length, statements: [...statements] });
    const tab = await begin(of, script);
    expect(await isThrough(of.runs.closing(tab.id))).toBe(true);
  }
  // Behind a refusal nothing more runs, unless that was wanted.
  const of = page();
  of.say({ state: ResultState.RUNNING, statementCount: 1, statements: [refused] });
  const tab = await begin(of, { statementCount: 2 });
  expect(await isThrough(of.runs.closing(tab.id))).toBe(false);
});

test("a run that Core knows no more is lost when it was running, and gone when it had ended", async () => {
  const of = page();
  of.say({ state: ResultState.RUNNING, statementCount: 0, statements: [] });
  const tab = await begin(of, {});
  expect(of.tabs.active?.runs).toBe(true);
  of.kept.result = undefined;
  await of.runs.look(tab.id, of.tabs.active?.resultId ?? "");
  expect(of.runs.of(tab.id).kind).toBe("lost");

  const ended = page();
  ended.say({ state: ResultState.DONE, statementCount: 1, statements: [DONE] });
  const other = ended.tabs.open("connection");
  await ended.runs.run(other, { sql: "select 1", offset: 0 }, {});
  expect(ended.runs.of(other.id).kind).toBe("ended");
  expect(ended.tabs.active?.runs).toBeUndefined();
  ended.kept.result = undefined;
  await ended.runs.look(other.id, ended.tabs.active?.resultId ?? "");
  expect(ended.runs.of(other.id).kind).toBe("gone");
});

test("a run whose tab is closed before it has begun is stopped, and does not come back", async () => {
  for (const opensAgain of [false, true]) {
    const of = page();
    of.say({ state: ResultState.RUNNING, statementCount: 0, statements: [] });
    let arrive: () => void = () => undefined;
    of.gate.run = () => new Promise((resolve) => (arrive = resolve));
    const tab = of.tabs.open("connection");
    const ran = of.runs.run(tab, { sql: "update t set a = 1", offset: 0 }, {});
    await vi.advanceTimersByTimeAsync(10);
    const [resultId] = of.asked;
    if (resultId === undefined) throw new Error("it was asked for");
    of.tabs.close(tab.id);
    await vi.advanceTimersByTimeAsync(10);
    expect(of.drops).toEqual([resultId]);
    if (opensAgain) of.tabs.reopen();
    arrive();
    await ran;
    await vi.advanceTimersByTimeAsync(5_000);
    // Core may have heard of the first before the run itself.
    expect(of.drops).toEqual([resultId, resultId]);
    expect(of.runs.of(tab.id).kind).toBe("idle");
    expect(of.runs.store.getState().size).toBe(0);
  }
});

test("a look that is answered behind its tab's end brings nothing back", async () => {
  const of = page();
  of.say({ state: ResultState.RUNNING, statementCount: 0, statements: [] });
  const tab = await begin(of, {});
  const looked = of.runs.look(tab.id, of.tabs.active?.resultId ?? "");
  of.tabs.close(tab.id);
  await looked;
  expect(of.runs.store.getState().size).toBe(0);
});

test("an old answer brings no run back that has ended", async () => {
  const of = page();
  of.say({ state: ResultState.RUNNING, statementCount: 0, statements: [] });
  const tab = await begin(of, {});
  const resultId = of.tabs.active?.resultId ?? "";
  of.say({ state: ResultState.DONE, statementCount: 1, statements: [DONE] });
  await of.runs.look(tab.id, resultId);
  expect(of.runs.of(tab.id).kind).toBe("ended");
  of.say({ state: ResultState.RUNNING, statementCount: 0, statements: [] });
  await of.runs.look(tab.id, resultId);
  expect(of.runs.of(tab.id).kind).toBe("ended");
});

test("what was dropped is gone and not lost, also where it still ran", async () => {
  const of = page();
  of.say({ state: ResultState.RUNNING, statementCount: 0, statements: [] });
  const tab = await begin(of, {});
  of.kept.result = undefined;
  of.gate.why = new ConnectError("dropped", Code.NotFound, undefined, [
    { desc: ErrorInfoSchema, value: { domain: "querybox", reason: "RESULT_DROPPED", metadata: { cause: "IDLE" } } },
  ]);
  await of.runs.look(tab.id, of.tabs.active?.resultId ?? "");
  expect(of.runs.of(tab.id)).toEqual({ kind: "gone", why: "idle" });
  expect(of.tabs.active?.runs).toBeUndefined();

  const told = page();
  told.say({ state: ResultState.RUNNING, statementCount: 0, statements: [] });
  const other = await begin(told, {});
  const resultId = told.tabs.active?.resultId ?? "";
  told.runs.hearDropped(resultId, ResultDropCause.SHUTTING_DOWN);
  expect(told.runs.of(other.id).kind).toBe("running");
  told.runs.hearDropped(resultId, ResultDropCause.DROPPED);
  expect(told.runs.of(other.id)).toEqual({ kind: "gone", why: "dropped" });
});

test("a tab that was closed and opened again tells of no run", async () => {
  const of = page();
  of.say({ state: ResultState.RUNNING, statementCount: 0, statements: [] });
  const tab = await begin(of, {});
  of.tabs.change(tab.id, { sessionId: "s" });
  of.tabs.close(tab.id);
  of.tabs.reopen();
  expect(of.tabs.active).toMatchObject({ id: tab.id });
  expect([of.tabs.active?.resultId, of.tabs.active?.sessionId, of.tabs.active?.runs]).toEqual([undefined, undefined, undefined]);
});

test("another window's result is looked at, and not dropped", async () => {
  const of = page();
  of.say({ state: ResultState.DONE, statementCount: 1, statements: [DONE] });
  of.tabs.restore([{ id: "theirs", title: "Query 1", connectionId: "connection", text: "select 1", resultId: "r", isGuest: true }]);
  const [tab] = of.tabs.store.getState().tabs;
  if (tab === undefined || of.kept.result === undefined) throw new Error("it is there");
  of.kept.result.resultId = "r";
  await of.runs.look(tab.id, "r");
  expect(of.runs.of(tab.id).kind).toBe("ended");
  // What is run here is this window's own.
  await of.runs.run(tab, { sql: "select 1", offset: 0 }, {});
  await vi.advanceTimersByTimeAsync(10);
  expect(of.drops).toEqual([]);
  expect(of.tabs.active?.isGuest).toBeUndefined();
  const own = of.tabs.active?.resultId;
  of.tabs.close(tab.id);
  await vi.advanceTimersByTimeAsync(10);
  expect(of.drops).toEqual([own]);

  const second = page();
  second.say({ state: ResultState.RUNNING, statementCount: 0, statements: [] });
  second.tabs.restore([{ ...tab }]);
  if (second.kept.result !== undefined) second.kept.result.resultId = "r";
  await second.runs.look(tab.id, "r");
  expect(second.runs.of(tab.id).kind).toBe("running");
  second.tabs.close(tab.id);
  await vi.advanceTimersByTimeAsync(10);
  expect(second.drops).toEqual([]);
});

test("a run whose call never arrived is told as that, and not as lost", async () => {
  for (const [minutes, kind] of [[1, "failed"], [60, "lost"]] as const) {
    const of = page();
    of.gate.run = () => Promise.reject(new ConnectError("Failed to fetch", Code.Unknown));
    of.gate.away = true;
    const tab = of.tabs.open("connection");
    await of.runs.run(tab, { sql: "update t set a = 1", offset: 0 }, {});
    expect(of.runs.of(tab.id).kind).toBe("starting");
    await vi.advanceTimersByTimeAsync(minutes * 60_000);
    expect(of.runs.of(tab.id).kind).toBe("starting");
    of.gate.away = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(of.runs.of(tab.id)).toMatchObject(kind === "failed" ? { kind, problem: { message: "The run did not reach Core" } } : { kind });
    // It was asked for once.
    expect(of.asked).toHaveLength(1);
  }
});

test("who gives no password keeps the result that was there, with its script, unless it is gone meanwhile", async () => {
  const of = page();
  of.say({ state: ResultState.DONE, statements: [DONE] });
  const tab = of.tabs.open("connection");
  const old = { sql: "select 1", offset: 0 };
  await of.runs.run(tab, old, {});
  const resultId = of.kept.result?.resultId ?? "";
  const place = vi.spyOn(of.sessions, "place").mockResolvedValue(undefined);
  await of.runs.run(tab, { sql: "select 2", offset: 40 }, {});
  expect(of.runs.of(tab.id).kind).toBe("ended");
  expect(of.runs.scriptOf(tab.id)).toBe(old);
  place.mockImplementation(async () => void of.runs.hearDropped(resultId, ResultDropCause.IDLE));
  await of.runs.run(tab, { sql: "select 2", offset: 40 }, {});
  expect(of.runs.of(tab.id)).toEqual({ kind: "gone", why: "idle" });
  expect(of.runs.scriptOf(tab.id)).toBe(old);
});

test("only the end of a run that this page saw says how its transaction stands", async () => {
  const of = page();
  const { IDLE, OPEN, UNSPECIFIED } = TransactionState;
  const tab = of.tabs.open("connection");
  of.tabs.change(tab.id, { sessionId: "s", resultId: "r" });
  const [kept] = of.tabs.store.getState().tabs;
  if (kept === undefined) throw new Error("it is there");
  const result = (transactionState: TransactionState) => create(ResultSchema, { resultId: "r", sessionId: "s", state: ResultState.DONE, transactionState, statementCount: 1, statements: [DONE] });
  of.kept.result = result(OPEN);
  await of.runs.attach(kept);
  expect(of.runs.of(tab.id).kind).toBe("ended");
  expect(of.sessions.of(tab.id)).toMatchObject({ transaction: UNSPECIFIED });
  of.kept.result = result(IDLE);
  await of.runs.run(kept, { sql: "commit", offset: 0 }, {});
  expect(of.runs.of(tab.id).kind).toBe("ended");
  expect(of.sessions.of(tab.id)).toMatchObject({ transaction: IDLE });
});

test("a run whose answer was lost can be cancelled, and is dropped with its tab, once Core is there", async () => {
  for (const closes of [true, false]) {
    const of = page();
    of.say({ state: ResultState.RUNNING, sessionId: "s", statementCount: 0, statements: [] });
    of.gate.run = () => Promise.reject(new ConnectError("Failed to fetch", Code.Unknown));
    of.gate.away = true;
    const tab = of.tabs.open("connection");
    await of.runs.run(tab, { sql: "update t set a = 1", offset: 0 }, {});
    const [resultId = ""] = of.asked;
    expect(of.runs.canCancel(tab.id)).toBe(true);
    if (of.kept.result !== undefined) of.kept.result.resultId = resultId;
    if (closes) of.tabs.close(tab.id);
    else expect(await of.runs.cancel(tab.id)).toMatch(/^It is cancelled when Core is there again/);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([of.drops, of.cancels]).toEqual([[], []]);
    of.gate.away = false;
    of.runs.hearAll();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([of.drops, of.cancels]).toEqual(closes ? [[resultId], []] : [[], ["s"]]);
  }
});

const WAITING: MessageInitShape<typeof ResultSchema> = { state: ResultState.RUNNING, sessionId: "s", statementCount: 0, statements: [] };

test("what ran before the page was loaded again is found in tabs that are not shown, also where the first look fails, and stopped with its tab", async () => {
  const of = page();
  of.kept.result = create(ResultSchema, { ...WAITING, resultId: "r" });
  of.tabs.restore([{ id: "behind", title: "Query 1", connectionId: "connection", text: "", resultId: "r" }]);
  of.gate.away = true;
  of.runs.hearAll();
  await vi.advanceTimersByTimeAsync(60_000);
  // A Core that is away is not asked for each of many tabs, but once it is there.
  expect([of.runs.of("behind").kind, of.gate.looks]).toEqual(["idle", 1]);
  of.gate.away = false;
  of.runs.hearAll();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(of.runs.of("behind").kind).toBe("running");

  const unseen = page();
  unseen.tabs.restore([{ id: "behind", title: "Query 1", connectionId: "connection", text: "", resultId: "r" }]);
  unseen.tabs.close("behind");
  await vi.advanceTimersByTimeAsync(10);
  expect(unseen.drops).toEqual(["r"]);
});

test("nothing is run in a tab before it is known what still runs there", async () => {
  for (const [state, says, count] of [[ResultState.RUNNING, /still runs/, 0], [ResultState.DONE, undefined, 1], ["away", /does not say yet/, 0]] as const) {
    const of = page();
    of.gate.away = state === "away";
    of.kept.result = create(ResultSchema, { ...WAITING, state: state === "away" ? ResultState.RUNNING : state, resultId: "r" });
    of.tabs.restore([{ id: "tab", title: "Query 1", connectionId: "connection", text: "", resultId: "r" }]);
    const [tab] = of.tabs.store.getState().tabs;
    if (tab === undefined) throw new Error("it is there");
    const problem = await of.runs.run(tab, { sql: "select 1", offset: 0 }, {});
    if (says === undefined) expect(problem).toBeUndefined();
    else expect(problem?.advice).toMatch(says);
    expect(of.asked).toHaveLength(count);
    if (count === 0) expect(of.tabs.active?.resultId).toBe("r");
  }
});

test("a run whose answer does not come can be cancelled, and is stopped if it has begun, or begins later", async () => {
  for (const begins of ["before", "later", "never"] as const) {
    const of = page();
    of.gate.run = () => new Promise(() => undefined);
    const tab = of.tabs.open("connection");
    void of.runs.run(tab, { sql: "update t set a = 1", offset: 0 }, {});
    await vi.advanceTimersByTimeAsync(60_000);
    const [resultId = ""] = of.asked;
    expect([of.runs.of(tab.id).kind, of.runs.canCancel(tab.id)]).toEqual(["starting", true]);
    if (begins === "before") of.kept.result = create(ResultSchema, { ...WAITING, resultId });
    await of.runs.cancel(tab.id);
    await vi.advanceTimersByTimeAsync(10);
    expect(of.cancels).toEqual(begins === "before" ? ["s"] : []);
    if (begins !== "before") expect(of.runs.of(tab.id)).toMatchObject({ kind: "failed", problem: { message: "Cancelled before it began" } });
    if (begins === "later") of.runs.hear(resultId);
    await vi.advanceTimersByTimeAsync(10);
    expect(of.drops).toEqual(begins === "later" ? [resultId] : []);
    // It was asked for once.
    expect(of.asked).toEqual([resultId]);
  }
});

test("a run is found by its result where the answer to its call hangs, and that answer brings nothing old", async () => {
  const of = page();
  let arrive: () => void = () => undefined;
  of.gate.run = () => new Promise((resolve) => (arrive = resolve));
  const tab = of.tabs.open("connection");
  const ran = of.runs.run(tab, { sql: "select 1", offset: 0 }, {});
  await vi.advanceTimersByTimeAsync(10);
  const [resultId = ""] = of.asked;
  // It may not have come there yet.
  of.runs.hearAll();
  await vi.advanceTimersByTimeAsync(10);
  expect(of.runs.of(tab.id).kind).toBe("starting");
  of.kept.result = create(ResultSchema, { state: ResultState.DONE, resultId, statementCount: 1, statements: [DONE] });
  of.runs.hearAll();
  await vi.advanceTimersByTimeAsync(10);
  expect(of.runs.of(tab.id).kind).toBe("ended");
  of.kept.result = create(ResultSchema, { ...WAITING, resultId });
  arrive();
  await ran;
  expect(of.runs.of(tab.id).kind).toBe("ended");
});

test("who cancels before anything is sent keeps what was there", async () => {
  const of = page();
  of.say({ state: ResultState.DONE, statements: [DONE] });
  const tab = of.tabs.open("connection");
  await of.runs.run(tab, { sql: "select 1", offset: 0 }, {});
  vi.spyOn(of.sessions, "place").mockReturnValue(new Promise(() => undefined));
  const ran = of.runs.run(tab, { sql: "select 2", offset: 0 }, {});
  expect(of.runs.canCancel(tab.id)).toBe(true);
  await of.runs.cancel(tab.id);
  await ran;
  expect([of.runs.of(tab.id).kind, of.runs.scriptOf(tab.id)?.sql, of.asked.length]).toEqual(["ended", "select 1", 1]);
});

test("nothing is run where a tab was put on another connection while its session was waited for", async () => {
  const of = page();
  const tab = of.tabs.open("connection");
  void of.sessions.open(tab);
  const ran = of.runs.run(tab, { sql: "select 1", offset: 0 }, {});
  of.tabs.change(tab.id, { connectionId: "other" });
  expect((await ran)?.advice).toMatch(/another connection/);
  expect([of.asked, of.runs.of(tab.id).kind]).toEqual([[], "idle"]);
});

test("an old answer brings no result back that is gone, and its views go with it", async () => {
  const of = page();
  of.say(WAITING);
  const tab = await begin(of, {});
  const resultId = of.tabs.active?.resultId ?? "";
  const told: string[] = [];
  of.runs.onDrop((id) => told.push(id));
  const gone = new ConnectError("dropped", Code.NotFound, undefined, [{ desc: ErrorInfoSchema, value: { domain: "querybox", reason: "RESULT_DROPPED" } }]);
  [of.gate.why, of.kept.result] = [gone, undefined];
  await of.runs.look(tab.id, resultId);
  expect([of.runs.of(tab.id).kind, told]).toEqual(["gone", [resultId]]);
  of.kept.result = create(ResultSchema, { ...WAITING, resultId });
  await of.runs.look(tab.id, resultId);
  expect(of.runs.of(tab.id).kind).toBe("gone");
});

test("a closed tab's script is forgotten", async () => {
  const of = page();
  of.say(WAITING);
  const tab = await begin(of, {});
  of.tabs.close(tab.id);
  expect(of.runs.scriptOf(tab.id)).toBeUndefined();
});

test("a run that is refused with its lost session keeps what was there, and one that shows the loss itself is no reason to refuse the next", async () => {
  const of = page();
  of.say({ state: ResultState.DONE });
  const tab = of.tabs.open("connection");
  await of.runs.run(tab, { sql: "select 1", offset: 0 }, {});
  const before = of.runs.of(tab.id);
  const lose = () => {
    of.tabs.change(tab.id, { sessionId: "s" });
    of.sessions.attach({ ...tab, sessionId: "s" });
    of.sessions.hearEnd("s", EndCause.CONNECTION_LOST, true);
  };
  lose();
  expect(await of.runs.run(tab, { sql: "delete from t", offset: 0 }, {})).toMatchObject({ message: "Nothing was run", advice: expect.stringContaining("its transaction was rolled back") });
  expect([of.runs.of(tab.id), of.runs.scriptOf(tab.id)?.sql, of.asked.length, of.drops]).toEqual([before, "select 1", 1, []]);

  // Its own run told of the end.
  await of.sessions.close(tab.id);
  of.say({ state: ResultState.FAILED, sessionId: "s", failure: { reason: "CONNECTION_LOST" } });
  await of.runs.run(tab, { sql: "select 2", offset: 0 }, {});
  lose();
  expect(of.sessions.of(tab.id)).toMatchObject({ kind: "lost", isTold: false });
  void of.runs.run(tab, { sql: "select 3", offset: 0 }, {});
  expect(of.sessions.of(tab.id).kind).toBe("opening");
});

test("a run whose session is busy with the tree's look is cancelled at once, and is not sent again", async () => {
  const of = page();
  const busy = new ConnectError("busy", Code.FailedPrecondition, undefined, [{ desc: ErrorInfoSchema, value: { domain: "querybox", reason: "SESSION_BUSY" } }]);
  of.gate.run = () => Promise.reject(busy);
  const tab = of.tabs.open("connection");
  const ran = of.runs.run(tab, { sql: "select 1", offset: 0 }, {});
  await vi.advanceTimersByTimeAsync(2_000);
  expect([of.runs.of(tab.id).kind, of.asked.length]).toEqual(["starting", 4]);
  await of.runs.cancel(tab.id);
  await ran;
  await vi.advanceTimersByTimeAsync(10);
  expect([of.runs.of(tab.id), of.asked.length]).toMatchObject([{ kind: "failed", problem: { message: "Cancelled before it began" } }, 4]);
});
