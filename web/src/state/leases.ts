import { createStore, type StoreApi } from "zustand/vanilla";
import { SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { FormFieldRole } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import { type Problem, problemOfRejection, reasonOf } from "../transport/problem.ts";
import { makeUuidV7 } from "../transport/uuid.ts";
import type { Connections } from "./connections.ts";
import type { DriverList } from "./drivers.ts";
import type { LinkKeeper } from "./link.ts";

/** Where a request runs: in a session of its own on a connection, or in one that is leased. */
export type Place =
  | { readonly sessionId: string; readonly connection: { key: { case: "id"; value: string } } }
  | { readonly sessionId: string };

/** A password that a user is asked for. */
export interface Question {
  readonly connectionId: string;
  readonly connectionName: string;
  /** Why the last answer did not do. */
  readonly problem?: Problem;
  readonly busy: boolean;
}

const OVER: ReadonlySet<string> = new Set(["SESSION_ENDED", "SESSION_NOT_FOUND"]);

/**
 * Sessions for connections that keep no password: asked for once, held by the driver of a leased session alone, and gone
 * with it. The page forgets a password as soon as it is sent.
 */
export class Leases {
  readonly question: StoreApi<{ readonly open: Question | undefined }> = createStore<{
    readonly open: Question | undefined;
  }>(() => ({ open: undefined }));
  private readonly sessions = new Map<string, string>();
  /** Passwords that were typed before they were asked for, good for the next question alone. */
  private readonly offered = new Map<string, string>();
  private waiting: ((sessionId: string | undefined) => void)[] = [];

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly connections: Connections,
    private readonly drivers: DriverList,
    private readonly frontEndId: string,
  ) {}

  /** Where the next request on a connection runs. `undefined`: the user did not give the password. */
  async place(connectionId: string): Promise<Place | undefined> {
    const connection = this.connections.find(connectionId);
    if (connection?.spec?.secretPlace !== SecretPlace.ASK) {
      return { sessionId: makeUuidV7(), connection: { key: { case: "id", value: connectionId } } };
    }
    const leased = this.sessions.get(connectionId) ?? (await this.ask(connectionId, connection.spec.name));
    return leased === undefined ? undefined : { sessionId: leased };
  }

  /** Hears of a failure in a session, which may be its end. */
  hear(connectionId: string, error: unknown): void {
    if (OVER.has(reasonOf(error))) this.sessions.delete(connectionId);
  }

  /** A session has ended. */
  forget(sessionId: string): void {
    for (const [connectionId, leased] of this.sessions) if (leased === sessionId) this.sessions.delete(connectionId);
  }

  /** Takes a password that was typed already: who has just made a connection is not asked for it again. */
  offer(connectionId: string, password: string): void {
    this.offered.set(connectionId, password);
  }

  /** The user's answer to the open question. */
  async answer(password: string): Promise<void> {
    const { open } = this.question.getState();
    if (open === undefined || open.busy) return;
    this.question.setState({ open: { ...open, busy: true } });
    const sessionId = makeUuidV7();
    const fields = [{ name: this.passwordField(open.connectionId), value: new TextEncoder().encode(password) }];
    try {
      const { outcome } = await this.core.sessions.openSession({
        sessionId,
        target: { case: "connection", value: { key: { case: "id", value: open.connectionId } } },
        credential: { fields },
        frontEndId: this.frontEndId,
      });
      if (outcome.case === "rejection") {
        this.question.setState({ open: { ...open, busy: false, problem: problemOfRejection(outcome.value) } });
        return;
      }
      this.sessions.set(open.connectionId, sessionId);
      this.settle(sessionId);
    } catch (error) {
      const problem = this.link.hear(error);
      this.question.setState({ open: { ...open, busy: false, ...(problem === undefined ? {} : { problem }) } });
    }
  }

  /** The user does not answer. */
  decline(): void {
    this.settle(undefined);
  }

  private passwordField(connectionId: string): string {
    const form = this.drivers.find(this.connections.find(connectionId)?.spec?.driverType ?? "")?.connectionForm;
    return form?.find((field) => field.role === FormFieldRole.PASSWORD)?.name ?? "password";
  }

  private ask(connectionId: string, connectionName: string): Promise<string | undefined> {
    this.question.setState({ open: { connectionId, connectionName, busy: false } });
    const answered = new Promise<string | undefined>((resolve) => this.waiting.push(resolve));
    const password = this.offered.get(connectionId);
    this.offered.delete(connectionId);
    if (password !== undefined) void this.answer(password);
    return answered;
  }

  private settle(sessionId: string | undefined): void {
    this.question.setState({ open: undefined });
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve(sessionId);
  }
}
