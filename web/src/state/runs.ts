import { Code, ConnectError } from "@connectrpc/connect";
import { createStore, type StoreApi } from "zustand/vanilla";
import { ResultDropCause } from "../gen/core/v1/event_pb.ts";
import { type Result, ResultState, type Rows } from "../gen/core/v1/result_pb.ts";
import type { Core } from "../transport/core.ts";
import { isAborted, isUnreachable, metadataOf, type Problem, reasonOf } from "../transport/problem.ts";
import { makeUuidV7 } from "../transport/uuid.ts";
import { aborted, type Asked, NEVER_ARRIVED, NOT_BEGUN, NOT_KNOWN, STILL_RUNS } from "./asked_run.ts";
import { receiptText } from "./cancel_receipt.ts";
import { milliseconds } from "./connection_test.ts";
import type { Leases } from "./leases.ts";
import type { LinkKeeper } from "./link.ts";
import { endingOf, isOver } from "./endings.ts";
import { LookTurns } from "./look_turns.ts";
import { ResultDrops } from "./result_drops.ts";
import { type Options, requestOf } from "./run_request.ts";
import type { Stopped } from "./tab_session.ts";
import { SentScripts } from "./sent_scripts.ts";
import type { TabSessions } from "./tab_sessions.ts";
import type { Tab, Tabs } from "./tabs.ts";
import { whenFree } from "./when_free.ts";

/** What runs in a tab, or ran last. */
export type Run =
  | { readonly kind: "idle" }
  /** It was asked for, and nothing has come back yet. */
  | { readonly kind: "starting"; readonly startedAt: number }
  | { readonly kind: "running"; readonly startedAt: number; readonly result: Result; readonly page: FirstPage | undefined; readonly isStopping: boolean }
  | { readonly kind: "ended"; readonly result: Result; readonly page: FirstPage | undefined }
  /** It was never begun. */
  | { readonly kind: "failed"; readonly problem: Problem }
  /** It was kept, and is not any more. */
  | { readonly kind: "gone"; readonly why: "idle" | "dropped" | "unknown" }
  /** It ran, or was asked for, and Core knows nothing of it. */
  | { readonly kind: "lost" };

/** The first rows, which come with the answer. */
export interface FirstPage {
  readonly statement: number;
  readonly rows: Rows;
}

/** What is run. */
export interface Script {
  readonly sql: string;
  /** Where it begins in the editor's text, in characters: for marks at an error. */
  readonly offset: number;
  /** How many statements it has. Absent: nobody counted. */
  readonly statementCount?: number;
  /** It goes on behind a statement that is refused. */
  readonly goesOn?: boolean;
  /** Values of its parameters. `null`: NULL. */
  readonly bindings?: readonly { readonly name: string; readonly value: string | null }[];
  /** The connection that it was sent to. */
  readonly connectionId?: string;
  /** Where that led. */
  readonly place?: string;
}

const IDLE: Run = { kind: "idle" };
/** How often what runs is looked at where no event tells of it. */
const LOOK_MS = 1_000;
/** How often that is looked for of which nobody knows yet whether it runs. */
const LOOK_IDLE_MS = 30_000;
/** A session that takes longer to end has a trouble of its own. */
const CLOSING_MS = 30_000;
/** A result is not dropped as unused so soon. */
const SURELY_KEPT_MS = 300_000;
/** Runs scripts for tabs. Core owns what runs: it goes on without the page, and is found again. */
export class Runs {
  readonly store: StoreApi<ReadonlyMap<string, Run>> = createStore<ReadonlyMap<string, Run>>(() => new Map());
  /** Whether Core runs scripts for pages. Absent: not known yet. */
  readonly canRun: StoreApi<{ readonly value: boolean | undefined }> = createStore<{ readonly value: boolean | undefined }>(() => ({
    value: undefined,
  }));
  /** What was run in each tab. */
  private readonly scripts: SentScripts;
  private readonly drops: ResultDrops;
  /** Results that something was told of before the answer to their run was here. */
  private readonly early = new Set<string>();
  private readonly looks = new LookTurns();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Runs that were asked for and had no answer yet, by tab. A closed tab has none. */
  private readonly asked = new Map<string, Asked>();
  /** Results whose run had no answer, by when it was asked for. */
  private readonly unanswered = new Map<string, number>();
  /** Tabs that wait for the end of a session before something runs in them. */
  readonly waits: StoreApi<ReadonlySet<string>> = createStore<ReadonlySet<string>>(() => new Set());

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly sessions: TabSessions,
    private readonly leases: Leases,
    private readonly tabs: Tabs,
    private readonly frontEndId: string,
  ) {
    this.scripts = new SentScripts(tabs);
    this.drops = new ResultDrops(core);
    sessions.runBy((tabId) => {
      const { kind } = this.of(tabId);
      return kind === "starting" || kind === "running";
    });
  }

  /** Asks Core whether it keeps results: what it does not offer, the page does not show. */
  async probe(): Promise<void> {
    try {
      await this.core.results.listResults({});
      this.canRun.setState({ value: true });
    } catch (error) {
      if (ConnectError.from(error).code === Code.Unimplemented) this.canRun.setState({ value: false });
      else this.link.hear(error);
    }
  }

  of(tabId: string): Run {
    return this.store.getState().get(tabId) ?? IDLE;
  }

  scriptOf(tabId: string): Script | undefined {
    return this.scripts.get(tabId);
  }

  /**
   * Waits for a run of which nothing is left but its session's end, which is told a little later than that of its last statement.
   * Whoever runs something then is not to be turned away. Any other run is not waited for. Answers whether there was a wait.
   */
  async closing(tabId: string): Promise<boolean> {
    const begun = this.of(tabId);
    if (begun.kind !== "running" || !isOver(begun.result, this.scripts.get(tabId))) return false;
    this.waits.setState(new Set(this.waits.getState()).add(tabId), true);
    await new Promise<void>((resolve) => {
      const end = () => {
        stop();
        clearTimeout(timer);
        resolve();
      };
      const stop = this.store.subscribe(() => {
        if (this.of(tabId).kind !== "running") end();
      });
      const timer = setTimeout(end, CLOSING_MS);
    });
    const waits = new Set(this.waits.getState());
    waits.delete(tabId);
    this.waits.setState(waits, true);
    return true;
  }

  /**
   * Sees what became of what a tab ran before the page was loaded again, unless that is known. Answers why nothing is run there yet:
   * what still runs would be out of sight, and nobody could cancel it.
   */
  known({ id, resultId }: Tab): Promise<Problem | undefined> | undefined {
    return resultId === undefined || this.of(id).kind !== "idle" ? undefined : this.learn(id, resultId);
  }

  private async learn(id: string, resultId: string): Promise<Problem | undefined> {
    await this.look(id, resultId);
    const { kind } = this.of(id);
    if (kind === "running") return STILL_RUNS;
    return kind === "idle" && this.tabOf(id) !== undefined ? NOT_KNOWN : undefined;
  }

  /** Runs a script in a tab. What ran there before is forgotten. Answers why nothing is run, where the tab itself does not say so. */
  async run(tab: Tab, script: Script, options: Options): Promise<Problem | undefined> {
    const known = this.known(tab);
    if (known !== undefined) {
      const problem = await known;
      if (problem !== undefined || this.tabOf(tab.id) === undefined) return problem;
    }
    const ran = this.begin(tab, script, options);
    const asked = this.asked.get(tab.id);
    if (asked !== undefined) asked.ran ??= ran;
    return ran;
  }

  private async begin(tab: Tab, script: Script, options: Options): Promise<Problem | undefined> {
    const before = this.of(tab.id);
    if (before.kind === "starting" || before.kind === "running") return undefined;
    // What ended with its session says so above its rows.
    if (before.kind === "ended" && endingOf(before.result)?.why === "lost") this.sessions.tell(tab.id, before.result.sessionId);
    let startedAt = Date.now();
    const scriptBefore = this.scripts.get(tab.id);
    this.scripts.set(tab.id, script);
    const stop = new AbortController();
    const asked: Asked = { resultId: undefined, sessionId: undefined, before: before.kind === "ended" ? before.result.resultId : undefined, stop };
    this.asked.set(tab.id, asked);
    this.set(tab.id, { kind: "starting", startedAt });
    const leaveBefore = () => {
      if (before.kind === "ended") void this.leave(tab, before.result.resultId);
      return undefined;
    };
    const keepBefore = () => {
      if (scriptBefore === undefined) this.scripts.delete(tab.id);
      else this.scripts.set(tab.id, scriptBefore);
      this.set(tab.id, asked.beforeIsGone === undefined ? before : { kind: "gone", why: asked.beforeIsGone });
    };
    /** Whether the tab was closed meanwhile, also if it was opened again. */
    const isClosed = () => this.asked.get(tab.id) !== asked;
    try {
      const runner = (sessionId: string) => this.runnerIn(sessionId, tab.id);
      const place = await Promise.race([this.sessions.place(tab, runner, (sessionId) => (asked.sessionId = sessionId), stop.signal), aborted(stop.signal)]);
      if (isClosed()) return leaveBefore();
      // Whoever gives no password, is refused, or waits no longer, keeps what he had.
      if (place === undefined || "refusal" in place) {
        keepBefore();
        return place?.refusal;
      }
      leaveBefore();
      // While a password is asked for, nothing runs yet.
      startedAt = Date.now();
      this.set(tab.id, { kind: "starting", startedAt });
      asked.sessionId = place.sessionId;
      const begin = () => {
        const resultId = "connection" in place ? place.sessionId : makeUuidV7();
        this.tabs.change(tab.id, { resultId, runs: true, isGuest: undefined });
        asked.resultId = resultId;
        const request = requestOf(place, resultId, script, options, this.frontEndId);
        // Without a limit: what is given up may have begun. Whoever waits too long cancels it.
        return this.core.results.run(request, { signal: stop.signal });
      };
      // No tab runs in a session that it was given: what keeps it busy, such as the tree, is through in a moment.
      const { result, page, pageStatement } = await whenFree(begin, { isWanted: () => !isClosed() && Date.now() - startedAt < CLOSING_MS, signal: stop.signal });
      const { resultId = "" } = asked;
      // It began behind its tab's end, and nobody would see or stop it any more.
      if (isClosed()) return void (await this.drops.drop(resultId));
      if (result === undefined) return void this.set(tab.id, IDLE);
      // What passed before it began, while a password was typed, is no part of its time.
      this.take(tab.id, result, Date.now() - milliseconds(result.elapsed), page === undefined ? undefined : { statement: pageStatement, rows: page });
      // What was told meanwhile may be newer than this answer, and the last that there is to tell.
      if (this.early.has(resultId) && result.state === ResultState.RUNNING) void this.look(tab.id, resultId);
      this.early.delete(resultId);
      return undefined;
    } catch (error) {
      if (asked.sessionId !== undefined) this.leases.hear(asked.sessionId, error);
      this.sessions.hearFailure(tab.id, error);
      const problem = this.link.hear(error);
      const mayRun = isUnreachable(error) || isAborted(error) ? asked.resultId : undefined;
      if (isClosed()) {
        if (mayRun !== undefined) await this.drops.drop(mayRun);
        return undefined;
      }
      if (asked.isFound === true) return undefined;
      // Without an answer nobody knows whether it began: it is looked for until Core is there again.
      if (mayRun !== undefined) {
        if (isUnreachable(error)) this.unanswered.set(mayRun, startedAt);
        asked.isLost = true;
        this.set(tab.id, { kind: "starting", startedAt });
        if (stop.signal.aborted) void this.look(tab.id, mayRun);
        else this.lookLater(tab.id, mayRun);
        return undefined;
      }
      this.tabs.change(tab.id, { runs: undefined });
      this.set(tab.id, problem === undefined ? IDLE : { kind: "failed", problem });
      return undefined;
    } finally {
      // What was told of others is kept only as long as one of them may still be on its way.
      if (![...this.store.getState().values()].some(({ kind }) => kind === "starting")) this.early.clear();
      if (!isClosed() && asked.isLost !== true) this.asked.delete(tab.id);
    }
  }

  /** The tab, but one, that runs something in a session. */
  private runnerIn(sessionId: string, butTabId: string): string | undefined {
    for (const [tabId, run] of this.store.getState()) {
      if (tabId !== butTabId && run.kind === "running" && run.result.sessionId === sessionId) return tabId;
    }
    for (const [tabId, asked] of this.asked) if (tabId !== butTabId && asked.sessionId === sessionId) return tabId;
    return undefined;
  }

  /** Finds what a tab ran before the page was loaded again. */
  async attach(tab: Tab): Promise<void> {
    this.sessions.attach(tab);
    if (tab.resultId === undefined || this.of(tab.id).kind !== "idle") return;
    await this.look(tab.id, tab.resultId);
  }

  /** Looks how a result stands now. */
  async look(tabId: string, resultId: string): Promise<void> {
    try {
      const { result } = await this.core.results.attachResult({ resultId, frontEndId: this.frontEndId });
      const run = this.of(tabId);
      const isSame = !("result" in run) || run.result.resultId === resultId;
      if (result === undefined || !isSame || !this.isOf(tabId, resultId)) return;
      const startedAt = run.kind === "running" ? run.startedAt : Date.now() - milliseconds(result.elapsed);
      this.take(tabId, result, startedAt, "page" in run ? run.page : undefined);
    } catch (error) {
      if (!this.isOf(tabId, resultId)) return;
      const reason = reasonOf(error);
      if (reason === "RESULT_DROPPED") {
        this.goes(tabId, metadataOf(error).cause === "IDLE" ? "idle" : "dropped");
        this.drops.tell(resultId);
      } else if (reason === "RESULT_NOT_FOUND") this.isNowhere(tabId, resultId);
      else {
        this.link.hear(error);
        // A Core that is away is looked for, and what ran here with it.
        const { kind } = this.of(tabId);
        if (kind === "running" || kind === "starting") this.lookLater(tabId, resultId);
        // There may be many, and a Core that comes back is asked for all of them.
        else if (kind === "idle" && this.link.store.getState().kind === "in") this.lookLater(tabId, resultId, LOOK_IDLE_MS);
      }
    }
  }

  /** Core knows no such result. */
  private isNowhere(tabId: string, resultId: string): void {
    const asked = this.asked.get(tabId);
    // Its call is still on its way, and may come there yet.
    if (asked !== undefined && asked.isLost !== true) return;
    clearTimeout(this.timers.get(tabId));
    this.asked.delete(tabId);
    this.drops.tell(resultId);
    // Whoever is let in by the same token speaks with the same Core, which would still know of it.
    const neverArrived = Date.now() - (this.unanswered.get(resultId) ?? 0) < SURELY_KEPT_MS;
    this.unanswered.delete(resultId);
    if (asked?.isUnwanted === true) this.drops.refuse(resultId);
    if (neverArrived || asked?.isUnwanted === true) {
      this.tabs.change(tabId, { runs: undefined, resultId: undefined });
      this.set(tabId, { kind: "failed", problem: neverArrived ? NEVER_ARRIVED : NOT_BEGUN });
    } else this.set(tabId, this.tabOf(tabId)?.runs === true ? { kind: "lost" } : { kind: "gone", why: "unknown" });
  }

  /** Calls when the page wants a result no more. */
  onDrop(listener: (resultId: string) => void): void {
    this.drops.onDrop(listener);
  }

  /** Looks at all that runs, or may run: what was told of it was lost, or the page is new. */
  hearAll(): void {
    this.drops.again();
    for (const { id, resultId } of this.tabs.store.getState().tabs) {
      const { kind } = this.of(id);
      const mayRun = kind === "running" || kind === "starting" || kind === "idle";
      if (resultId !== undefined && mayRun && this.isOf(id, resultId)) void this.look(id, resultId);
    }
  }

  /** Hears that a result has changed. */
  hear(resultId: string): void {
    if (this.drops.hear(resultId)) return;
    if ([...this.store.getState().values()].some(({ kind }) => kind === "starting")) this.early.add(resultId);
    for (const tab of this.tabs.store.getState().tabs) {
      const { kind } = this.of(tab.id);
      if (tab.resultId === resultId && kind !== "starting") void this.looks.take(`${tab.id} ${resultId}`, () => this.look(tab.id, resultId));
    }
  }

  /** Hears that Core keeps a result no longer. */
  hearDropped(resultId: string, cause: ResultDropCause): void {
    // A Core that ends tells it of all that it has. What still ran is looked for once there is another one.
    if (cause === ResultDropCause.SHUTTING_DOWN) return;
    const why = cause === ResultDropCause.IDLE ? "idle" : "dropped";
    for (const asked of this.asked.values()) if (asked.before === resultId) asked.beforeIsGone = why;
    for (const [tabId, run] of this.store.getState()) {
      if ("result" in run && run.result.resultId === resultId) this.goes(tabId, why);
    }
    this.drops.tell(resultId);
  }

  /** Whether something can be cancelled: what runs, or what was asked for without an answer. */
  canCancel(tabId: string): boolean {
    const { kind } = this.of(tabId);
    const asked = this.asked.get(tabId);
    return kind === "running" || (kind === "starting" && asked !== undefined && asked.isUnwanted !== true);
  }

  /** Asks the database to stop. Answers with what became of it, for people. */
  async cancel(tabId: string): Promise<string> {
    const run = this.of(tabId);
    const asked = this.asked.get(tabId);
    if (run.kind === "starting" && asked !== undefined && asked.isUnwanted !== true) {
      asked.isUnwanted = true;
      asked.stop.abort();
      this.set(tabId, { ...run });
      return asked.isLost === true ? "It is cancelled when Core is there again, if it began" : "";
    }
    if (run.kind !== "running" || run.isStopping) return "";
    this.set(tabId, { ...run, isStopping: true });
    try {
      const { receipt, elapsed } = await this.core.sessions.cancelSession({ sessionId: run.result.sessionId });
      await this.look(tabId, run.result.resultId);
      return receiptText(receipt, milliseconds(elapsed));
    } catch (error) {
      const now = this.of(tabId);
      if (now.kind === "running" && now.result.resultId === run.result.resultId) this.set(tabId, { ...now, isStopping: false });
      return this.link.hear(error)?.message ?? "";
    }
  }

  /** Gives what runs more time: so many seconds, or as long as it takes. */
  async extend(tabId: string, seconds: number | "none"): Promise<{ readonly remainingMs: number | undefined } | Problem | undefined> {
    const run = this.of(tabId);
    if (run.kind !== "running") return undefined;
    try {
      const { remaining } = await this.core.sessions.extendDeadline({
        sessionId: run.result.sessionId,
        extension:
          seconds === "none"
            ? { case: "none", value: {} }
            : { case: "by", value: { seconds: BigInt(seconds), nanos: 0 } },
      });
      return { remainingMs: remaining === undefined ? undefined : milliseconds(remaining) };
    } catch (error) {
      return this.link.hear(error);
    }
  }

  /** Forgets what a closed tab ran. What still runs is stopped, unless another window has begun it. Answers what that was. */
  forget(tab: Tab): Stopped | undefined {
    const tabId = tab.id;
    const run = this.of(tabId);
    const asked = this.asked.get(tabId);
    const dropped = [
      ...("result" in run ? [this.leave(tab, run.result.resultId)] : []),
      // Nobody looked yet whether it still runs.
      ...(run.kind === "idle" && tab.resultId !== undefined ? [this.leave(tab, tab.resultId)] : []),
      ...(asked?.resultId === undefined ? [] : [this.drops.drop(asked.resultId)]),
      ...(asked?.ran === undefined ? [] : [asked.ran]),
    ];
    this.asked.delete(tabId);
    this.scripts.delete(tabId);
    clearTimeout(this.timers.get(tabId));
    this.timers.delete(tabId);
    const runs = new Map(this.store.getState());
    runs.delete(tabId);
    this.store.setState(runs, true);
    // A tab that is still asked for a password runs nowhere.
    const sessionId = run.kind === "running" ? run.result.sessionId : asked?.sessionId;
    return sessionId === undefined ? undefined : { sessionId, over: Promise.all(dropped).then(() => undefined) };
  }

  /** A run whose answer was lost is found, or known to be nowhere. */
  private found(tabId: string): Asked | undefined {
    const asked = this.asked.get(tabId);
    if (asked !== undefined) asked.isFound = true;
    if (asked?.isLost === true) this.asked.delete(tabId);
    return asked;
  }

  private take(tabId: string, result: Result, startedAt: number, page: FirstPage | undefined): void {
    const asked = this.found(tabId);
    if (result.state === ResultState.RUNNING) {
      const run = this.of(tabId);
      // An answer that was long on its way: nothing that has ended, or is gone, runs again.
      if (run.kind === "gone" || (run.kind === "ended" && run.result.resultId === result.resultId)) return;
      this.set(tabId, { kind: "running", startedAt, result, page, isStopping: run.kind === "running" && run.isStopping });
      this.lookLater(tabId, result.resultId);
      if (asked?.isUnwanted === true && run.kind === "starting") void this.cancel(tabId);
    } else {
      clearTimeout(this.timers.get(tabId));
      const { kind } = this.of(tabId);
      this.set(tabId, { kind: "ended", result, page });
      if (this.tabOf(tabId)?.runs === true) this.tabs.change(tabId, { runs: undefined });
      // An old result says how the transaction stood then, and only Core how it stands now.
      if (kind === "starting" || kind === "running") this.sessions.hearRun(tabId, result.sessionId, result.transactionState);
      else void this.sessions.settle(tabId);
    }
  }

  private goes(tabId: string, why: "idle" | "dropped"): void {
    clearTimeout(this.timers.get(tabId));
    this.found(tabId);
    this.tabs.change(tabId, { runs: undefined });
    this.set(tabId, { kind: "gone", why });
  }

  /** Whether a tab is there, and a result is still what it shows. */
  private isOf(tabId: string, resultId: string): boolean {
    if (this.tabOf(tabId)?.resultId !== resultId) return false;
    return this.of(tabId).kind !== "starting" || this.asked.get(tabId)?.resultId === resultId;
  }

  private tabOf(tabId: string): Tab | undefined {
    return this.tabs.store.getState().tabs.find(({ id }) => id === tabId);
  }

  private lookLater(tabId: string, resultId: string, pause = LOOK_MS): void {
    clearTimeout(this.timers.get(tabId));
    this.timers.set(tabId, setTimeout(() => void this.look(tabId, resultId), pause));
  }

  /** Has no more use for a result. One of another window is left to it. */
  private async leave(tab: Tab, resultId: string): Promise<void> {
    if (tab.isGuest !== true) await this.drops.drop(resultId);
    else this.drops.tell(resultId);
  }

  private set(tabId: string, run: Run): void {
    this.store.setState(new Map(this.store.getState()).set(tabId, run), true);
  }
}
