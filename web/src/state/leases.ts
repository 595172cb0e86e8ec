import { createStore, type StoreApi } from "zustand/vanilla";
import { type Connection, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { FormFieldRole } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import { isUnreachable, type Problem, problemOfRejection, reasonOf } from "../transport/problem.ts";
import { makeUuidV7 } from "../transport/uuid.ts";
import type { Connections } from "./connections.ts";
import type { DriverList } from "./drivers.ts";
import { leadsTo } from "./leads_to.ts";
import type { LinkKeeper } from "./link.ts";
import { SessionEnds } from "./session_ends.ts";

/** Where a request runs: in a session of its own on a connection, or in one that is leased. */
export type Place =
  | { readonly sessionId: string; readonly connection: { key: { case: "id"; value: string } } }
  | { readonly sessionId: string };

/** The tab that keeps a connection's session from others. */
export interface Holder {
  readonly tabId: string;
  readonly title: string;
  /** Something runs there; else it has a transaction open. */
  readonly isRunning: boolean;
}

/** A connection that leads elsewhere than before, or is gone. */
export interface Move {
  readonly connectionId: string;
  readonly isGone: boolean;
  /** Its change was asked for here. */
  readonly isOwn: boolean;
}

/** A tab that is to have a session of its own beside the connection's. */
export interface Own {
  readonly tabId: string;
  /** Why. Absent: it was asked for. */
  readonly holder?: Holder;
}

/** A password that a user is asked for. */
export interface Question {
  readonly connectionId: string;
  readonly connectionName: string;
  /** Whom it is for, if not for all tabs of the connection. */
  readonly own?: Own;
  /** Why the last answer did not do. */
  readonly problem?: Problem;
  readonly busy: boolean;
}

/** An offered password is held no longer. */
const OFFERED_MS = 60_000;
const OVER: ReadonlySet<string> = new Set(["SESSION_ENDED", "SESSION_NOT_FOUND"]);

/**
 * Sessions for connections that keep no password: asked for once, held by the driver of a leased session alone, and gone
 * with it. The page forgets a password as soon as it is sent, so that a tab that cannot wait for the session of the others
 * asks anew for one of its own.
 *
 * A session serves the connection as it was when the session was opened: one that leads elsewhere now asks anew.
 */
export class Leases {
  readonly question: StoreApi<{ readonly open: Question | undefined }> = createStore<{
    readonly open: Question | undefined;
  }>(() => ({ open: undefined }));
  readonly ends: SessionEnds;
  private readonly sessions = new Map<string, string>();
  /** Passwords that were typed before they were asked for, good for the next question alone. */
  private readonly offered = new Map<string, Offered>();
  /** The session that is being opened with an answer. */
  private opening: string | undefined;
  /** Who waits for an answer, by the key of the question. The one that is open is the first. */
  private readonly waiting = new Map<string, Waiting>();
  private readonly opened = new Set<(connectionId: string) => void>();
  private readonly moved = new Set<(move: Move) => readonly string[]>();
  /** Connections that this page changes, whose user knows what ends with that. */
  private readonly changing = new Set<string>();
  /** Where each connection led when it was seen last. */
  private led: ReadonlyMap<string, string> = new Map();

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly connections: Connections,
    private readonly drivers: DriverList,
    private readonly frontEndId: string,
  ) {
    this.ends = new SessionEnds(core, link);
    connections.store.subscribe((state) => {
      if (state.kind === "ready") this.compare(state.value);
    });
  }

  /**
   * Calls when a connection leads elsewhere than before, or is gone: what was opened on it is not on it any more. The listener
   * answers with sessions that stay all the same.
   */
  onMove(listener: (move: Move) => readonly string[]): void {
    this.moved.add(listener);
  }

  /** Changes or removes a connection, as its user wants who knows what ends with that. */
  async changed<T>(connectionId: string, change: () => Promise<T>): Promise<T> {
    this.changing.add(connectionId);
    try {
      return await change();
    } finally {
      this.changing.delete(connectionId);
    }
  }

  /** Calls when a connection has a session for all its tabs. */
  onOpen(listener: (connectionId: string) => void): void {
    this.opened.add(listener);
  }

  /** Whether no password of a connection is kept, so that its tabs share a session. */
  keepsNone(connectionId: string): boolean {
    return this.connections.find(connectionId)?.spec?.secretPlace === SecretPlace.ASK;
  }

  /** Where a connection leads, as a text that is another one when that changes. */
  placeOf(connectionId: string): string | undefined {
    return this.led.get(connectionId);
  }

  /** Where the next request on a connection runs. `undefined`: the user did not give the password. */
  async place(connectionId: string): Promise<Place | undefined> {
    if (!this.keepsNone(connectionId)) {
      return { sessionId: makeUuidV7(), connection: { key: { case: "id", value: connectionId } } };
    }
    const leased = this.sessions.get(connectionId) ?? (await this.ask(connectionId));
    return leased === undefined ? undefined : { sessionId: leased };
  }

  /** Whether a request on a connection would ask somebody for its password. */
  asks(connectionId: string): boolean {
    return this.keepsNone(connectionId) && !this.sessions.has(connectionId);
  }

  /** Asks for the password once more, for a session that is one tab's alone. Who asked for it ends it. */
  own(connectionId: string, own: Own): Promise<string | undefined> {
    return this.ask(connectionId, own);
  }

  /** Hears of a failure in a session, which may be its end. */
  hear(sessionId: string, error: unknown): void {
    if (OVER.has(reasonOf(error))) this.forget(sessionId);
  }

  /** Takes up the session that the page had before it was loaded again. */
  adopt(connectionId: string, sessionId: string): void {
    if (!this.sessions.has(connectionId)) this.sessions.set(connectionId, sessionId);
  }

  /** Whether a session is on a connection that asks for its password. */
  has(sessionId: string): boolean {
    return this.opening === sessionId || [...this.sessions.values()].includes(sessionId);
  }

  /** A session has ended. */
  forget(sessionId: string): void {
    for (const [connectionId, leased] of this.sessions) if (leased === sessionId) this.sessions.delete(connectionId);
  }

  /** Takes a password that was typed already: who has just made a connection is not asked for it again. */
  offer(connectionId: string, password: string): void {
    const { open } = this.question.getState();
    if (open?.connectionId === connectionId && open.own === undefined && !open.busy) void this.answer(password);
    else {
      this.take(connectionId);
      // Whoever does not open it soon is asked.
      const timer = setTimeout(() => this.offered.delete(connectionId), OFFERED_MS);
      this.offered.set(connectionId, { password, timer });
    }
  }

  /** Takes an offered password out of the page's memory. */
  private take(connectionId: string): string | undefined {
    const offered = this.offered.get(connectionId);
    this.offered.delete(connectionId);
    clearTimeout(offered?.timer);
    return offered?.password;
  }

  /** The user's answer to the open question. */
  async answer(password: string): Promise<void> {
    const { open } = this.question.getState();
    if (open === undefined || open.busy) return;
    const { connectionId } = open;
    const asked: Question = { ...open, busy: true };
    this.question.setState({ open: asked });
    const sessionId = makeUuidV7();
    this.opening = sessionId;
    const fields = [{ name: this.passwordField(connectionId), value: new TextEncoder().encode(password) }];
    /** Whether nobody waits for this answer any more. */
    const isOver = () => this.question.getState().open !== asked;
    const askAgain = (problem: Problem | undefined) => {
      if (!isOver()) this.question.setState({ open: { ...open, busy: false, ...(problem === undefined ? {} : { problem }) } });
    };
    try {
      const { outcome } = await this.core.sessions.openSession({
        sessionId,
        target: { case: "connection", value: { key: { case: "id", value: connectionId } } },
        credential: { fields },
        frontEndId: this.frontEndId,
      });
      if (outcome.case === "rejection") return askAgain(problemOfRejection(outcome.value));
      if (isOver()) return void this.ends.end(sessionId);
      if (open.own === undefined) this.sessions.set(connectionId, sessionId);
      this.settle(keyOf(open), sessionId);
      if (open.own === undefined) for (const listener of this.opened) listener(connectionId);
    } catch (error) {
      // It may have been opened all the same.
      if (isUnreachable(error)) void this.ends.end(sessionId);
      askAgain(this.link.hear(error));
    } finally {
      if (this.opening === sessionId) this.opening = undefined;
    }
  }

  /** The user does not answer. */
  decline(): void {
    const { open } = this.question.getState();
    if (open !== undefined) this.settle(keyOf(open), undefined);
  }

  private passwordField(connectionId: string): string {
    const form = this.drivers.find(this.connections.find(connectionId)?.spec?.driverType ?? "")?.connectionForm;
    return form?.find((field) => field.role === FormFieldRole.PASSWORD)?.name ?? "password";
  }

  private ask(connectionId: string, own?: Own): Promise<string | undefined> {
    const question = { connectionId, ...(own === undefined ? {} : { own }) };
    const answered = new Promise<string | undefined>((resolve) => {
      const key = keyOf(question);
      this.waiting.set(key, { question, answers: [...(this.waiting.get(key)?.answers ?? []), resolve] });
    });
    this.askNext();
    return answered;
  }

  /** Asks the next question, when none is open. */
  private askNext(): void {
    const [next] = this.waiting.values();
    if (next === undefined || this.question.getState().open !== undefined) return;
    const { connectionId, own } = next.question;
    this.question.setState({ open: { ...next.question, connectionName: this.connections.find(connectionId)?.spec?.name ?? "", busy: false } });
    if (own !== undefined) return;
    const password = this.take(connectionId);
    if (password !== undefined) void this.answer(password);
  }

  /** Answers whoever waits for a question, and nobody else. */
  private settle(key: string, sessionId: string | undefined): void {
    const answers = this.waiting.get(key)?.answers ?? [];
    this.waiting.delete(key);
    const { open } = this.question.getState();
    if (open !== undefined && keyOf(open) === key) this.question.setState({ open: undefined });
    for (const answer of answers) answer(sessionId);
    this.askNext();
  }

  private compare(connections: readonly Connection[]): void {
    const before = this.led;
    this.led = new Map(connections.map(({ id, spec }) => [id, spec === undefined ? "" : leadsTo(spec)]));
    for (const [id, place] of before) if (this.led.get(id) !== place) this.drop(id);
  }

  /** Forgets all that was given for a connection as it was: its session, its password, and the question for one. */
  private drop(connectionId: string): void {
    this.take(connectionId);
    const sessionId = this.sessions.get(connectionId);
    this.sessions.delete(connectionId);
    const move: Move = { connectionId, isGone: !this.led.has(connectionId), isOwn: this.changing.has(connectionId) };
    const stay = [...this.moved].flatMap((listener) => listener(move));
    if (sessionId !== undefined && !stay.includes(sessionId)) void this.ends.end(sessionId);
    for (const [key, { question }] of this.waiting) if (question.connectionId === connectionId) this.settle(key, undefined);
  }

}

interface Offered {
  readonly password: string;
  readonly timer: ReturnType<typeof setTimeout>;
}

interface Waiting {
  readonly question: Pick<Question, "connectionId" | "own">;
  readonly answers: readonly ((sessionId: string | undefined) => void)[];
}

/** What tells one question from another. */
function keyOf({ connectionId, own }: Waiting["question"]): string {
  return own === undefined ? connectionId : `${connectionId} ${own.tabId}`;
}
