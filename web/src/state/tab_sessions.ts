import { createStore, type StoreApi } from "zustand/vanilla";
import { SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { EndCause } from "../gen/core/v1/query_pb.ts";
import { SessionActivity, type SessionFacts, SessionKind } from "../gen/core/v1/session_pb.ts";
import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import { type Problem, problemOfRejection, reasonOf } from "../transport/problem.ts";
import type { Connections } from "./connections.ts";
import type { Holder, Leases, Place } from "./leases.ts";
import type { LinkKeeper } from "./link.ts";
import type { Tab, Tabs } from "./tabs.ts";
import { whenFree } from "./when_free.ts";

/**
 * The session of a tab that keeps one. A connection that asks for its password has one for all its tabs, which is shared;
 * a tab that finds it in use may have one of its own.
 */
export type TabSession =
  | { readonly kind: "none" }
  | { readonly kind: "opening" }
  | { readonly kind: "open"; readonly sessionId: string; readonly transaction: TransactionState; readonly isBusy: boolean; readonly endsSoon: boolean; readonly isShared: boolean }
  /** It ended without being asked to. */
  | { readonly kind: "lost"; readonly why: string };

type OpenSession = Extract<TabSession, { kind: "open" }>;

/** Where it takes longer, the session ends. */
const ROLL_BACK_MS = 30_000;
const NONE: TabSession = { kind: "none" };

/** Keeps sessions for tabs that want one: transactions, temporary tables and settings work across their runs. */
export class TabSessions {
  readonly store: StoreApi<ReadonlyMap<string, TabSession>> = createStore<ReadonlyMap<string, TabSession>>(() => new Map());

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly leases: Leases,
    private readonly tabs: Tabs,
    private readonly frontEndId: string,
  ) {
    leases.onMove((connectionId, isGone) => void this.leave(connectionId, isGone));
    tabs.store.subscribe((now, before) => {
      for (const tab of before.tabs) {
        const connectionId = now.tabs.find(({ id }) => id === tab.id)?.connectionId;
        // Nothing runs at the old place under the name of another one.
        if (connectionId !== undefined && connectionId !== tab.connectionId) void this.close(tab.id);
      }
    });
  }

  /**
   * Looks which sessions Core still holds for the page: after it was loaded again, and when it may not have heard of an end. What
   * nobody here has any use for is ended, when the page has just begun.
   */
  async find(connections: Pick<Connections, "find">, isNew: boolean): Promise<void> {
    try {
      // What is opened while the answer is on its way is not missed in it.
      const asked = new Set(this.tabs.store.getState().tabs.map((tab) => this.idOf(tab)));
      const { sessions } = await this.core.sessions.listSessions({});
      const held = new Map(sessions.filter((facts) => this.isHeld(facts)).map((facts) => [facts.sessionId, facts]));
      for (const tab of this.tabs.store.getState().tabs) if (asked.has(this.idOf(tab))) this.compare(tab, held);
      if (!isNew) return;
      const owned = new Set(this.tabs.store.getState().tabs.map(({ sessionId }) => sessionId));
      for (const [sessionId, { connectionId, transactionState }] of held) {
        if (owned.has(sessionId) || this.leases.has(sessionId)) continue;
        if (connections.find(connectionId)?.spec?.secretPlace !== SecretPlace.ASK) {
          void this.end(sessionId);
          continue;
        }
        this.leases.adopt(connectionId, sessionId);
        for (const tab of this.tabs.store.getState().tabs) {
          if (tab.connectionId === connectionId && this.of(tab.id).kind === "none") this.set(tab.id, { ...opened(sessionId, true), transaction: known(transactionState) });
        }
      }
    } catch (error) {
      this.link.hear(error);
    }
  }

  private isHeld({ kind, activity, frontEndId }: SessionFacts): boolean {
    const isThere = activity === SessionActivity.RUNNING || activity === SessionActivity.IDLE;
    return kind === SessionKind.LEASED && isThere && frontEndId === this.frontEndId;
  }

  private idOf(tab: Tab): string | undefined {
    const session = this.of(tab.id);
    return session.kind === "open" ? session.sessionId : tab.sessionId;
  }

  /** Puts what the page takes a tab's session for beside what Core has. */
  private compare(tab: Tab, held: ReadonlyMap<string, SessionFacts>): void {
    const session = this.of(tab.id);
    const sessionId = this.idOf(tab);
    if (sessionId === undefined) return;
    const facts = held.get(sessionId);
    if (facts === undefined) {
      this.lose(tab.id, "it had ended");
      this.leases.forget(sessionId);
    } else if (session.kind === "none") {
      this.set(tab.id, { ...opened(sessionId, false), transaction: known(facts.transactionState) });
    } else if (session.kind === "open" && session.transaction === TransactionState.UNSPECIFIED) {
      this.set(tab.id, { ...session, transaction: known(facts.transactionState) });
    }
  }

  of(tabId: string): TabSession {
    return this.store.getState().get(tabId) ?? NONE;
  }

  /** Finds the session that a tab had before the page was loaded again. */
  attach(tab: Tab): void {
    if (tab.sessionId === undefined || this.of(tab.id).kind !== "none") return;
    this.set(tab.id, { kind: "open", sessionId: tab.sessionId, transaction: TransactionState.UNSPECIFIED, isBusy: false, endsSoon: false, isShared: false });
  }

  /**
   * Where the next run of a tab takes place. `undefined`: nowhere, for the user gave no password. The session that a connection's
   * tabs share is not taken from the one that runs something there, or has a transaction open.
   */
  async place(tab: Tab, runnerIn: (sessionId: string) => string | undefined = () => undefined): Promise<Place | undefined> {
    const session = this.of(tab.id);
    if (session.kind === "open" && !session.isShared) return { sessionId: session.sessionId };
    const place = session.kind === "open" ? { sessionId: session.sessionId } : await this.leases.place(tab.connectionId);
    if (place === undefined || "connection" in place) return place;
    const holder = this.holderOf(place.sessionId, tab, runnerIn(place.sessionId));
    if (holder !== undefined) return this.own(tab, holder);
    if (this.of(tab.id).kind !== "open") this.set(tab.id, opened(place.sessionId, true));
    return place;
  }

  /** Has a tab of a connection that asks for its password run in a session that no other tab shares. `undefined`: it was not given. */
  async own(tab: Tab, holder?: Holder): Promise<Place | undefined> {
    const sessionId = await this.leases.own(tab.connectionId, { tabId: tab.id, ...(holder === undefined ? {} : { holder }) });
    if (sessionId === undefined) return undefined;
    if (this.tabs.store.getState().tabs.every(({ id, connectionId }) => id !== tab.id || connectionId !== tab.connectionId)) {
      void this.end(sessionId);
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

  /** Leases a session. Answers why it cannot be had. */
  async open(tab: Tab): Promise<Problem | undefined> {
    if (this.of(tab.id).kind === "opening" || this.of(tab.id).kind === "open") return undefined;
    this.set(tab.id, { kind: "opening" });
    try {
      const place = await this.leases.place(tab.connectionId);
      if (place === undefined) return this.none(tab.id);
      const { sessionId } = place;
      if (!("connection" in place)) return void this.set(tab.id, opened(sessionId, true));
      const target = { case: "connection" as const, value: place.connection };
      const { outcome } = await this.core.sessions.openSession({ sessionId, target, frontEndId: this.frontEndId });
      if (outcome.case === "rejection") {
        this.none(tab.id);
        return problemOfRejection(outcome.value);
      }
      if (!this.tabs.store.getState().tabs.some(({ id }) => id === tab.id)) return void this.end(sessionId);
      this.tabs.change(tab.id, { sessionId });
      this.set(tab.id, opened(sessionId, false));
      return undefined;
    } catch (error) {
      this.none(tab.id);
      return this.link.hear(error);
    }
  }

  /** Gives a tab's session up. One that others share stays, without the tab's transaction. Answers whether a transaction went with it. */
  async close(tabId: string): Promise<boolean> {
    const session = this.of(tabId);
    this.none(tabId);
    if (session.kind !== "open") return false;
    if (!session.isShared) return this.end(session.sessionId);
    return hasTransaction(session, session.sessionId) && this.rollBack(session.sessionId);
  }

  /** Rolls back what nobody sees any more. */
  private async rollBack(sessionId: string): Promise<boolean> {
    const until = Date.now() + ROLL_BACK_MS;
    try {
      // What still runs there is being cancelled.
      await whenFree(async () => {
        for await (const _ of this.core.sessions.executeInSession({ sessionId, sql: "ROLLBACK" }));
      }, () => Date.now() < until);
    } catch (error) {
      this.link.hear(error);
      this.leases.forget(sessionId);
      return this.end(sessionId);
    }
    this.all(sessionId, (now) => ({ ...now, transaction: TransactionState.IDLE }));
    return true;
  }

  /** Ends the transaction of a tab's session. Answers what keeps it from that. */
  async finish(tabId: string, sql: "COMMIT" | "ROLLBACK"): Promise<Problem | undefined> {
    const session = this.of(tabId);
    if (session.kind !== "open" || session.isBusy) return undefined;
    this.set(tabId, { ...session, isBusy: true });
    let { transaction } = session;
    let problem: Problem | undefined;
    try {
      for await (const { part } of this.core.sessions.executeInSession({ sessionId: session.sessionId, sql })) {
        if (part.case !== "result") continue;
        const { part: said } = part.value;
        if (said.case === "summary") transaction = said.value.transactionState;
        if (said.case === "rejection") {
          transaction = said.value.transactionState;
          problem = problemOfRejection(said.value);
        }
      }
    } catch (error) {
      problem = this.link.hear(error);
      this.hearFailure(tabId, error);
    }
    this.all(session.sessionId, (now, id) => ({ ...now, transaction: id === tabId ? transaction : TransactionState.IDLE, isBusy: false }));
    return problem;
  }

  /** Hears how a run left the transaction, which is that of its tab, also in a session that others share. */
  hearRun(tabId: string, sessionId: string, transaction: TransactionState): void {
    if (this.of(tabId).kind !== "open") return;
    this.all(sessionId, (session, id) => ({ ...session, transaction: id === tabId ? transaction : TransactionState.IDLE, endsSoon: false }));
  }

  /** Hears of a failure in a tab's session, which may be its end. */
  hearFailure(tabId: string, error: unknown): void {
    const reason = reasonOf(error);
    if (this.of(tabId).kind === "open" && (reason === "SESSION_ENDED" || reason === "SESSION_NOT_FOUND")) this.lose(tabId, "it had ended");
  }

  /** Hears that a session has ended. Answers whether it was a tab's. */
  hearEnd(sessionId: string, cause: EndCause, isTransactionLost: boolean): string | undefined {
    const of = [...this.store.getState()].filter(([, session]) => session.kind === "open" && session.sessionId === sessionId);
    if (of.length === 0) return undefined;
    const why = `${CAUSES[cause] ?? "it ended"}${isTransactionLost ? "; its transaction was rolled back" : ""}`;
    for (const [tabId] of of) this.lose(tabId, why);
    this.leases.forget(sessionId);
    return why;
  }

  /** Gives up the sessions of tabs on a connection that leads elsewhere now: nothing runs at the old place under the new name. */
  private async leave(connectionId: string, isGone: boolean): Promise<void> {
    const why = `its connection was ${isGone ? "removed" : "changed"}`;
    for (const tab of this.tabs.store.getState().tabs) {
      const session = this.of(tab.id);
      if (tab.connectionId !== connectionId || session.kind !== "open") continue;
      this.lose(tab.id, why);
      if (session.isShared || !(await this.end(session.sessionId))) continue;
      if (this.of(tab.id).kind === "lost") this.lose(tab.id, `${why}; its transaction was rolled back`);
    }
  }

  hearIdle(sessionId: string): void {
    this.all(sessionId, (session) => ({ ...session, endsSoon: true }));
  }

  private all(sessionId: string, change: (session: OpenSession, tabId: string) => OpenSession): void {
    for (const [tabId, session] of this.store.getState()) {
      if (session.kind === "open" && session.sessionId === sessionId) this.set(tabId, change(session, tabId));
    }
  }

  private lose(tabId: string, why: string): void {
    this.forgetId(tabId);
    this.set(tabId, { kind: "lost", why });
  }

  private none(tabId: string): undefined {
    this.forgetId(tabId);
    const sessions = new Map(this.store.getState());
    sessions.delete(tabId);
    this.store.setState(sessions, true);
  }

  private forgetId(tabId: string): void {
    if (this.tabs.store.getState().tabs.some((tab) => tab.id === tabId && tab.sessionId !== undefined)) this.tabs.change(tabId, { sessionId: undefined });
  }

  private async end(sessionId: string): Promise<boolean> {
    try {
      return (await this.core.sessions.closeSession({ sessionId })).transactionLost;
    } catch (error) {
      // It ends by its idle limit all the same.
      this.link.hear(error);
      return false;
    }
  }

  private set(tabId: string, session: TabSession): void {
    this.store.setState(new Map(this.store.getState()).set(tabId, session), true);
  }
}

/** How a session's transaction stands, where no statement has said otherwise. */
function known(transaction: TransactionState): TransactionState {
  return transaction === TransactionState.UNSPECIFIED ? TransactionState.IDLE : transaction;
}

function hasTransaction(session: TabSession, sessionId: string): boolean {
  const isOpen = session.kind === "open" && session.sessionId === sessionId;
  return isOpen && (session.transaction === TransactionState.OPEN || session.transaction === TransactionState.FAILED);
}

function opened(sessionId: string, isShared: boolean): OpenSession {
  return { kind: "open", sessionId, transaction: TransactionState.IDLE, isBusy: false, endsSoon: false, isShared };
}

const CAUSES: Readonly<Partial<Record<EndCause, string>>> = {
  [EndCause.DEADLINE]: "a statement did not stop at its deadline",
  [EndCause.MEMORY]: "the driver needed more memory than it may have",
  [EndCause.IDLE]: "it was not used for its idle limit",
  [EndCause.UNSTOPPABLE]: "a statement did not stop, and the driver was ended",
  [EndCause.DRIVER_DIED]: "the driver died",
  [EndCause.DRIVER_FAILED]: "the driver failed",
  [EndCause.CONNECTION_LOST]: "the connection to the database was lost",
  [EndCause.CLOSED]: "it was closed",
  [EndCause.SHUTTING_DOWN]: "Core ended",
};
