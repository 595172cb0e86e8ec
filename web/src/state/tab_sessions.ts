import { createStore, type StoreApi } from "zustand/vanilla";
import { SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { EndCause } from "../gen/core/v1/query_pb.ts";
import { SessionActivity, type SessionFacts } from "../gen/core/v1/session_pb.ts";
import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import { isLockedOut, isUnreachable, type Problem, problemOfRejection, reasonOf, sentenceOf } from "../transport/problem.ts";
import { makeUuidV7 } from "../transport/uuid.ts";
import type { Connections } from "./connections.ts";
import type { Holder, Leases, Move, Place } from "./leases.ts";
import type { LinkKeeper } from "./link.ts";
import type { SessionEnds } from "./session_ends.ts";
import { CAUSES, CHANGED, type Finish, finishOf, hasTransaction, hasUnknown, isHeldBy, MOVED, NOT_OPENED, NOT_SENT, NOT_TOLD, opened, type OpenSession, refused, refusedByLoss, type Refusal, stateOf, STILL_OPEN, type Stopped, type TabSession } from "./tab_session.ts";
import type { Tab, Tabs } from "./tabs.ts";

const { UNSPECIFIED, IDLE } = TransactionState;
/** Core says these before it sends anything. */
const BEFORE: ReadonlySet<string> = new Set(["SESSION_BUSY", "SESSION_ENDED", "SESSION_NOT_FOUND"]);
/** An answer that takes longer is taken for one that does not come. */
const FINISH_MS = 120_000;
const LOST: Finish = { kind: "unknown", isOver: false };
/** Why a session is lost of which nobody heard how. */
const NOT_HELD = "Core does not hold it any more";
const NONE: TabSession = { kind: "none" };

/** Keeps sessions for tabs that want one: transactions, temporary tables and settings work across their runs. */
export class TabSessions {
  readonly store: StoreApi<ReadonlyMap<string, TabSession>> = createStore<ReadonlyMap<string, TabSession>>(() => new Map());
  /** Shared sessions that are being rolled back behind a tab that is gone: nothing else runs there meanwhile. */
  private readonly freeing = new Map<string, Promise<boolean>>();
  /** Whether what an earlier page left is still to be looked through. */
  private isNew = false;
  /** Sessions that are being opened for tabs. */
  private readonly coming = new Set<string>();
  private readonly ends: SessionEnds;
  private readonly stayed = new Set<(tab: Tab, isGone: boolean) => void>();
  private isRunning: (tabId: string) => boolean = () => false;

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly leases: Leases,
    private readonly tabs: Tabs,
    private readonly frontEndId: string,
  ) {
    this.ends = leases.ends;
    leases.onMove((move) => this.leave(move));
    for (const tab of tabs.store.getState().tabs) this.attach(tab);
    tabs.store.subscribe((now, before) => {
      for (const tab of now.tabs) if (!before.tabs.some(({ id }) => id === tab.id)) this.attach(tab);
      for (const tab of before.tabs) {
        const connectionId = now.tabs.find(({ id }) => id === tab.id)?.connectionId;
        // Nothing runs at the old place under the name of another one.
        if (connectionId !== undefined && connectionId !== tab.connectionId) void this.close(tab.id);
      }
    });
  }

  /**
   * Looks which sessions Core still holds for the page: after it was loaded again, and when it may not have heard of an end. What
   * nobody here has any use for is ended, when the page has just begun, and it is known what each is for: by its connections, and
   * by tabs that may be Core's alone.
   */
  async find(connections: Pick<Connections, "find" | "store">, isNew: boolean): Promise<void> {
    this.isNew ||= isNew;
    this.ends.again();
    const held = await this.look();
    if (held === undefined || !this.isNew || connections.store.getState().kind !== "ready" || this.tabs.lacksSome) return;
    this.isNew = false;
    const owned = new Set(this.tabs.store.getState().tabs.map(({ sessionId }) => sessionId));
    for (const [sessionId, facts] of held) {
      if (owned.has(sessionId) || this.coming.has(sessionId) || this.leases.has(sessionId)) continue;
      const { connectionId } = facts;
      if (connections.find(connectionId)?.spec?.secretPlace !== SecretPlace.ASK) void this.ends.end(sessionId);
      else {
        this.leases.adopt(connectionId, sessionId);
        this.share(facts);
      }
    }
  }

  /** Gives tabs the session that they shared before the page was loaded again. Its transaction is that of the tab that ran there last. */
  private share(facts: SessionFacts): void {
    const { sessionId, connectionId } = facts;
    const transaction = stateOf(facts);
    let isHeld = false;
    for (const tab of this.tabs.store.getState().tabs) {
      if (tab.connectionId !== connectionId) continue;
      isHeld ||= tab.holds === sessionId;
      // The one that ran there last was attached to it.
      if (this.of(tab.id).kind === "none") this.set(tab.id, opened(sessionId, true));
    }
    // Its tab was closed just before, and nobody sees it any more.
    if (!isHeld && transaction !== IDLE) void this.free(sessionId);
  }

  /** Puts what the page takes its sessions for beside what Core has. Answers those. */
  private async look(): Promise<ReadonlyMap<string, SessionFacts> | undefined> {
    try {
      // What changes while the answer is on its way is not as old as that.
      const asked = this.tabs.store.getState().tabs.map((tab) => ({ id: tab.id, sessionId: this.idOf(tab), session: this.of(tab.id) }));
      const { sessions } = await this.core.sessions.listSessions({});
      const held = new Map(sessions.filter((facts) => isHeldBy(this.frontEndId, facts)).map((facts) => [facts.sessionId, facts]));
      for (const { id, sessionId, session } of asked) {
        const tab = this.tabs.store.getState().tabs.find((other) => other.id === id);
        // A tab that was only attached to its session knows nothing newer.
        const isSame = this.of(id) === session || (session.kind === "none" && hasUnknown(this.of(id)));
        if (tab !== undefined && this.idOf(tab) === sessionId && isSame) this.compare(tab, held);
      }
      return held;
    } catch (error) {
      this.link.hear(error);
      return undefined;
    }
  }

  private idOf(tab: Tab): string | undefined {
    const session = this.of(tab.id);
    return session.kind === "open" ? session.sessionId : tab.sessionId;
  }

  private tabOf(tabId: string): Tab | undefined {
    return this.tabs.store.getState().tabs.find(({ id }) => id === tabId);
  }

  /** Puts what the page takes a tab's session for beside what Core has. */
  private compare(tab: Tab, held: ReadonlyMap<string, SessionFacts>): void {
    const session = this.of(tab.id);
    const sessionId = this.idOf(tab);
    if (sessionId === undefined) return;
    const facts = held.get(sessionId);
    if (facts === undefined) {
      this.lose(tab.id, NOT_HELD, this.isOthers(tab.id, sessionId));
      this.leases.forget(sessionId);
    } else if (session.kind === "none") {
      this.set(tab.id, { ...opened(sessionId, false), transaction: stateOf(facts) });
    } else if (session.kind === "open" && !session.isBusy && facts.activity === SessionActivity.IDLE && (!session.isShared || tab.holds === sessionId)) {
      this.set(tab.id, { ...session, transaction: stateOf(facts) });
    }
  }

  /** Asks, from now on, whether something runs in a tab. */
  runBy(isRunning: (tabId: string) => boolean): void {
    this.isRunning = isRunning;
  }

  /** Calls when a tab keeps its session, for its transaction, on a connection that was changed or removed elsewhere. */
  onStay(listener: (tab: Tab, isGone: boolean) => void): void {
    this.stayed.add(listener);
  }

  of(tabId: string): TabSession {
    return this.store.getState().get(tabId) ?? NONE;
  }

  /** Finds the session that a tab had before the page was loaded again: what Core says of it is not known yet. */
  attach(tab: Tab): void {
    const sessionId = tab.sessionId ?? tab.holds;
    if (this.of(tab.id).kind !== "none") return;
    if (tab.lost !== undefined) this.set(tab.id, tab.lost);
    else if (sessionId !== undefined) this.set(tab.id, { ...opened(sessionId, tab.sessionId === undefined), transaction: UNSPECIFIED });
  }

  /** Asks Core how a tab's transaction stands, where nobody here knows. */
  async settle(tabId: string): Promise<void> {
    if (hasUnknown(this.of(tabId))) await this.look();
  }

  /** Hears that a tab shows how its session ended: the next run opens another one. */
  tell(tabId: string, sessionId: string): void {
    const session = this.of(tabId);
    if (session.kind === "lost" && session.sessionId === sessionId) this.set(tabId, { ...session, isTold: true });
  }

  /**
   * Where the next run of a tab takes place. `undefined`: nowhere, for the user gave no password. The session that a connection's
   * tabs share is not taken from the one that runs something there, or has a transaction open. What was meant for a session that has
   * ended, or for another place than the one where it would run after a wait, is refused. Behind the end of `signal`, which is that
   * of whoever waits, nobody is asked for anything.
   */
  async place(
    tab: Tab,
    runnerIn: (sessionId: string) => string | undefined = () => undefined,
    onTake: (sessionId: string) => void = () => undefined,
    signal?: AbortSignal,
  ): Promise<Place | Refusal | undefined> {
    const isOff = () => signal?.aborted === true;
    const led = this.leases.placeOf(tab.connectionId);
    const elsewhere = () => (this.tabOf(tab.id)?.connectionId !== tab.connectionId ? MOVED : this.leases.placeOf(tab.connectionId) !== led ? CHANGED : undefined);
    for (;;) {
      if (isOff()) return undefined;
      const session = this.of(tab.id);
      if (session.kind === "opening") {
        await this.settled(tab.id, session);
        if (this.of(tab.id).kind === "none") return elsewhere() ?? NOT_OPENED;
        continue;
      }
      // What ran there kept it, and nobody told of its end: what is run next belongs to the new place.
      if (session.kind === "open" && !session.isBusy && session.transaction === IDLE && this.isOld(tab.id)) {
        this.lose(tab.id, "its connection was changed");
        void this.ends.end(session.sessionId);
        continue;
      }
      if (session.kind === "lost" && !session.isTold) {
        this.set(tab.id, { ...session, isTold: true });
        return refusedByLoss(session.why);
      }
      const now = elsewhere();
      if (now !== undefined) return now;
      if (session.kind === "lost") {
        if (this.leases.keepsNone(tab.connectionId) && !session.isShared) return (await this.own(tab)) ?? elsewhere();
        const problem = await this.open(tab);
        if (problem !== undefined) return refused(sentenceOf(problem));
        if (this.of(tab.id) === session) return elsewhere();
        // It was given up while it was being opened.
        if (this.of(tab.id).kind === "none") return elsewhere() ?? NOT_OPENED;
        continue;
      }
      if (session.kind === "open" && !session.isShared) return { sessionId: session.sessionId };
      const place = session.kind === "open" ? { sessionId: session.sessionId } : await this.leases.place(tab.connectionId);
      if (place === undefined || "connection" in place) return elsewhere() ?? place;
      const { sessionId } = place;
      const freed = this.freeing.get(sessionId);
      if (freed !== undefined) {
        await freed;
        continue;
      }
      const unknown = this.tabs.store.getState().tabs.find(({ id }) => id !== tab.id && this.isIn(id, sessionId) && hasUnknown(this.of(id)));
      if (unknown !== undefined) {
        await this.look();
        if (this.freeing.has(sessionId) || (session.kind === "open" && this.of(tab.id).kind !== "open")) continue;
      }
      if (isOff()) return undefined;
      const after = elsewhere();
      if (after !== undefined) return after;
      const holder = this.holderOf(sessionId, tab, runnerIn(sessionId));
      if (holder !== undefined) return (await this.own(tab, holder)) ?? elsewhere();
      if (this.of(tab.id).kind !== "open") this.set(tab.id, opened(sessionId, true));
      this.hold(tab.id, sessionId);
      onTake(sessionId);
      return place;
    }
  }

  /** Waits until a session that is being opened is there, or will not be. */
  private settled(tabId: string, opening: TabSession): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.store.subscribe(() => {
        if (this.of(tabId) === opening) return;
        stop();
        resolve();
      });
    });
  }

  /** Has whatever is begun in a shared session be a tab's, and no other one's. */
  private hold(tabId: string, sessionId: string): void {
    for (const { id, holds } of this.tabs.store.getState().tabs) {
      if (id === tabId && holds !== sessionId) this.tabs.change(id, { holds: sessionId });
      else if (id !== tabId && holds === sessionId) this.tabs.change(id, { holds: undefined });
    }
  }

  /** Whether a tab keeps a session of the place where its connection led before. */
  private isOld(tabId: string): boolean {
    return this.tabOf(tabId)?.isOld === true;
  }

  private isIn(tabId: string, sessionId: string): boolean {
    const session = this.of(tabId);
    return session.kind === "open" && session.sessionId === sessionId;
  }

  /** Whether another tab ran last in the session that a tab shares: nothing there was its own, and the question for the password says enough. */
  private isOthers(tabId: string, sessionId: string): boolean {
    const session = this.of(tabId);
    return session.kind === "open" && session.isShared && this.tabOf(tabId)?.holds !== sessionId;
  }

  /** Has a tab of a connection that asks for its password run in a session that no other tab shares. `undefined`: it was not given. */
  async own(tab: Tab, holder?: Holder): Promise<Place | undefined> {
    const sessionId = await this.leases.own(tab.connectionId, { tabId: tab.id, ...(holder === undefined ? {} : { holder }) });
    if (sessionId === undefined) return undefined;
    if (this.tabOf(tab.id)?.connectionId !== tab.connectionId) {
      void this.ends.end(sessionId);
      return undefined;
    }
    this.tabs.change(tab.id, { sessionId });
    this.set(tab.id, opened(sessionId, false));
    return { sessionId };
  }

  /** Who keeps a shared session from a tab. */
  private holderOf(sessionId: string, tab: Tab, runner: string | undefined): Holder | undefined {
    const { tabs } = this.tabs.store.getState();
    const running = tabs.find(({ id }) => id === runner && id !== tab.id);
    if (running !== undefined) return { tabId: running.id, title: running.title, isRunning: true };
    if (hasTransaction(this.of(tab.id), sessionId)) return undefined;
    const holding = tabs.find(({ id }) => hasTransaction(this.of(id), sessionId));
    return holding === undefined ? undefined : { tabId: holding.id, title: holding.title, isRunning: false };
  }

  /** Leases a session. Answers why it cannot be had. One that comes when the tab has no use for it any more is ended. */
  async open(tab: Tab): Promise<Problem | undefined> {
    const before = this.of(tab.id);
    if (before.kind === "opening" || before.kind === "open") return undefined;
    const opening: TabSession = { kind: "opening" };
    this.set(tab.id, opening);
    const isWanted = () => this.of(tab.id) === opening && this.tabOf(tab.id)?.connectionId === tab.connectionId;
    const giveUp = (problem?: Problem) => {
      if (!isWanted()) return undefined;
      if (before.kind === "lost") this.set(tab.id, before);
      else this.none(tab.id);
      return problem;
    };
    const sessionId = makeUuidV7();
    try {
      const place = await this.leases.place(tab.connectionId);
      if (place === undefined || !isWanted()) return giveUp();
      if (!("connection" in place)) return void this.set(tab.id, opened(place.sessionId, true));
      const target = { case: "connection" as const, value: place.connection };
      this.coming.add(sessionId);
      const { outcome } = await this.core.sessions.openSession({ sessionId, target, frontEndId: this.frontEndId });
      if (outcome.case === "rejection") return giveUp(problemOfRejection(outcome.value));
      if (!isWanted()) return void this.ends.end(sessionId);
      this.tabs.change(tab.id, { sessionId });
      this.set(tab.id, opened(sessionId, false));
      return undefined;
    } catch (error) {
      // It may have been opened all the same.
      if (isUnreachable(error)) void this.ends.end(sessionId);
      return giveUp(this.link.hear(error));
    } finally {
      this.coming.delete(sessionId);
    }
  }

  /**
   * Gives a tab's session up. One that others share stays, without the tab's transaction. `ran` is what still ran in it, which may
   * have begun one. Answers whether a transaction went with it.
   */
  async close(tabId: string, ran?: Stopped): Promise<boolean> {
    const session = this.of(tabId);
    this.none(tabId);
    if (session.kind !== "open") return false;
    const { sessionId, isShared, transaction } = session;
    if (!isShared) return this.ends.end(sessionId);
    const over = ran?.sessionId === sessionId ? ran.over : undefined;
    if (over === undefined && transaction === IDLE) return false;
    return (await this.free(sessionId, over)) && transaction !== IDLE;
  }

  /** Rolls back what nobody sees any more. Until that is done, nobody else runs there. */
  private free(sessionId: string, ran?: Promise<void>): Promise<boolean> {
    const before = this.freeing.get(sessionId) ?? Promise.resolve(false);
    const freed = before.then(() => ran).then(() => this.rollBack(sessionId));
    this.freeing.set(sessionId, freed);
    void freed.finally(() => {
      if (this.freeing.get(sessionId) === freed) this.freeing.delete(sessionId);
    });
    return freed;
  }

  private async rollBack(sessionId: string): Promise<boolean> {
    if (await this.ends.rollBack(sessionId)) return true;
    // A session that may be in a transaction is nobody's.
    this.leases.forget(sessionId);
    for (const [tabId, session] of this.store.getState()) if (session.kind === "open" && session.sessionId === sessionId) this.none(tabId);
    return this.ends.end(sessionId);
  }

  /** Ends the transaction of a tab's session. */
  async finish(tabId: string, sql: "COMMIT" | "ROLLBACK"): Promise<Finish> {
    await this.settle(tabId);
    const session = this.of(tabId);
    if (session.kind !== "open" || session.transaction === IDLE) return { kind: "nothing" };
    if (session.isBusy) return { kind: "busy" };
    if (session.transaction === UNSPECIFIED) return { kind: "refused", problem: NOT_TOLD };
    const { sessionId } = session;
    this.set(tabId, { ...session, isBusy: true });
    const { said, error } = await this.ends.execute(sessionId, sql, FINISH_MS);
    const problem = error === undefined ? undefined : this.link.hear(error);
    if (error !== undefined) this.hearFailure(tabId, error);
    // What Core refuses, it has not begun. What breaks behind that may have been done.
    const isRefused = error !== undefined && (BEFORE.has(reasonOf(error)) || isLockedOut(error));
    const finish: Finish = said !== undefined ? finishOf(sql, said, session.transaction) : isRefused ? { kind: "refused", problem: problem ?? NOT_SENT } : LOST;
    const left = finish.kind === "unknown" ? UNSPECIFIED : finish.kind === "refused" ? session.transaction : (said?.transaction ?? IDLE);
    this.all(sessionId, (now, id) => ({ ...now, transaction: id === tabId ? left : IDLE, isBusy: false }));
    if (finish.kind !== "unknown") return finish;
    await this.look();
    const now = this.of(tabId);
    if (now.kind !== "open" || now.transaction === UNSPECIFIED) return finish;
    return now.transaction === IDLE ? { kind: "unknown", isOver: true } : { kind: "refused", problem: STILL_OPEN };
  }

  /** Hears how a run left the transaction, which is that of its tab, also in a session that others share. */
  hearRun(tabId: string, sessionId: string, transaction: TransactionState): void {
    if (!this.isIn(tabId, sessionId)) return;
    this.all(sessionId, (session, id) => ({ ...session, transaction: id === tabId ? transaction : IDLE, endsSoon: false }));
  }

  /** Hears of a failure in a tab's session, which may be its end. */
  hearFailure(tabId: string, error: unknown): void {
    const reason = reasonOf(error);
    if (this.of(tabId).kind === "open" && (reason === "SESSION_ENDED" || reason === "SESSION_NOT_FOUND")) this.lose(tabId, NOT_HELD, true);
  }

  /** Hears that a session has ended. Answers whether it was a tab's. */
  hearEnd(sessionId: string, cause: EndCause, isTransactionLost: boolean): string | undefined {
    const of = [...this.store.getState()].filter(([, session]) => session.kind === "open" && session.sessionId === sessionId);
    if (of.length === 0) return undefined;
    const why = `${CAUSES[cause] ?? "Core gave no cause"}${isTransactionLost ? "; its transaction was rolled back" : ""}`;
    for (const [tabId] of of) this.lose(tabId, why, this.isOthers(tabId, sessionId));
    this.leases.forget(sessionId);
    return why;
  }

  /**
   * Gives up the sessions of tabs on a connection that leads elsewhere now: nothing begins at the old place under the new name. A
   * transaction goes with that only where its user knew. Answers the sessions that stay until theirs is over.
   */
  private leave({ connectionId, isGone, isOwn }: Move): readonly string[] {
    const why = `its connection was ${isGone ? "removed" : "changed"}`;
    const stay: string[] = [];
    for (const tab of this.tabs.store.getState().tabs) {
      const session = this.of(tab.id);
      if (tab.connectionId !== connectionId) continue;
      // What comes of it is ended.
      if (session.kind === "opening") this.lose(tab.id, why, isOwn);
      if (session.kind !== "open") continue;
      const { sessionId, isShared, transaction } = session;
      const mayHave = transaction !== IDLE || (this.isRunning(tab.id) && (!isShared || tab.holds === sessionId));
      if (mayHave && !isOwn) {
        stay.push(sessionId);
        const isKnown = tab.isOld === true;
        this.tabs.change(tab.id, { sessionId, holds: undefined, isOld: true });
        this.set(tab.id, { ...session, isShared: false });
        if (transaction === UNSPECIFIED) void this.look();
        if (!isKnown) for (const listener of this.stayed) listener(tab, isGone);
        continue;
      }
      this.lose(tab.id, why, isOwn);
      if (!isShared) void this.endAfter(tab.id, sessionId, why);
    }
    return stay;
  }

  private async endAfter(tabId: string, sessionId: string, why: string): Promise<void> {
    if ((await this.ends.end(sessionId)) && this.of(tabId).kind === "lost") this.lose(tabId, `${why}; its transaction was rolled back`);
  }

  /** Gives up a session of a connection as it was before, once nothing is lost with it. */
  private endOld(tabId: string, session: TabSession): boolean {
    if (!this.isOld(tabId) || session.kind !== "open" || session.isBusy || session.transaction !== IDLE || this.isRunning(tabId)) return false;
    this.lose(tabId, "its connection was changed");
    void this.ends.end(session.sessionId);
    return true;
  }

  hearIdle(sessionId: string): void {
    this.all(sessionId, (session) => ({ ...session, endsSoon: true }));
  }

  private all(sessionId: string, change: (session: OpenSession, tabId: string) => OpenSession): void {
    for (const [tabId, session] of this.store.getState()) {
      if (session.kind === "open" && session.sessionId === sessionId) this.set(tabId, change(session, tabId));
    }
  }

  /** `isTold`: its user knows. */
  private lose(tabId: string, why: string, isTold = false): void {
    const session = this.of(tabId);
    const was = "sessionId" in session ? session : { sessionId: this.tabOf(tabId)?.sessionId ?? "", isShared: session.kind === "opening" };
    this.forgetId(tabId);
    this.set(tabId, { kind: "lost", why, sessionId: was.sessionId, isShared: was.isShared, isTold: isTold || (session.kind === "lost" && session.isTold) });
  }

  private none(tabId: string): undefined {
    this.forgetId(tabId);
    const sessions = new Map(this.store.getState());
    sessions.delete(tabId);
    this.store.setState(sessions, true);
  }

  private forgetId(tabId: string): void {
    const tab = this.tabOf(tabId);
    if (tab?.sessionId !== undefined || tab?.holds !== undefined || tab?.lost !== undefined) this.tabs.change(tabId, { sessionId: undefined, holds: undefined, isOld: undefined, lost: undefined });
  }

  private set(tabId: string, session: TabSession): void {
    if (this.endOld(tabId, session)) return;
    this.store.setState(new Map(this.store.getState()).set(tabId, session), true);
    const lost = session.kind === "lost" ? session : undefined;
    if (session.kind !== "opening" && this.tabOf(tabId)?.lost !== lost) this.tabs.change(tabId, { lost });
  }
}
