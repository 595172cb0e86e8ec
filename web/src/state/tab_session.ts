import { EndCause } from "../gen/core/v1/query_pb.ts";
import { SessionActivity, type SessionFacts, SessionKind } from "../gen/core/v1/session_pb.ts";
import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { Problem } from "../transport/problem.ts";
import { WAS_CHANGED, WAS_MOVED } from "./pressed_on.ts";

const { UNSPECIFIED, IDLE, OPEN, FAILED } = TransactionState;

/**
 * The session of a tab that keeps one. A connection that asks for its password has one for all its tabs, which is shared;
 * a tab that finds it in use may have one of its own.
 */
export type TabSession =
  | { readonly kind: "none" }
  | { readonly kind: "opening" }
  | { readonly kind: "open"; readonly sessionId: string; readonly transaction: TransactionState; readonly isBusy: boolean; readonly endsSoon: boolean; readonly isShared: boolean }
  /** It ended without being asked to. Once its user was told, the next run opens another one. */
  | { readonly kind: "lost"; readonly why: string; readonly sessionId: string; readonly isShared: boolean; readonly isTold: boolean };

/** Why a run takes place nowhere. */
export interface Refusal {
  readonly refusal: Problem;
}

/** What ran in a session, and is being stopped. */
export interface Stopped {
  readonly sessionId: string;
  /** When nothing of it comes to Core any more. */
  readonly over: Promise<void>;
}

/** What became of the end of a transaction that was asked for. */
export type Finish =
  | { readonly kind: "done" }
  /** It was rolled back, though a commit was asked for. */
  | { readonly kind: "rolled-back"; readonly problem: Problem | undefined }
  /** The transaction is as it was. */
  | { readonly kind: "refused"; readonly problem: Problem }
  /** There was none. */
  | { readonly kind: "nothing" }
  /** The answer was lost. `isOver`: Core has no transaction there any more. */
  | { readonly kind: "unknown"; readonly isOver: boolean }
  /** Its end is on its way already. */
  | { readonly kind: "busy" };

/** What the database said of a statement. */
export interface Said {
  readonly transaction: TransactionState;
  readonly tag: string;
  readonly problem?: Problem;
}

export type OpenSession = Extract<TabSession, { kind: "open" }>;
export type LostSession = Extract<TabSession, { kind: "lost" }>;

export const MOVED = refused(WAS_MOVED);
export const CHANGED = refused(WAS_CHANGED);
export const NOT_OPENED = refused("The tab's session was not opened. Choose in the toolbar how to run, and run it again.");

export function refused(advice: string): Refusal {
  return { refusal: { message: "Nothing was run", reason: "", advice } };
}

/** What a run is told that was meant for a session that has ended. */
export function refusedByLoss(why: string): Refusal {
  return refused(`The session of this tab ended: ${why}. Press Run once more to open a new session.`);
}

/** Why the end of a transaction was not asked for, or did not come. */
export const NOT_SENT: Problem = { message: "This page is not let in: nothing was sent", reason: "", advice: "" };
export const NOT_TOLD: Problem = { message: "Core does not say yet how the transaction stands: nothing was sent", reason: "", advice: "" };
export const STILL_OPEN: Problem = { message: "The transaction is still open", reason: "", advice: "" };

/** What the words of the database say of a transaction's end. */
export function finishOf(sql: string, { transaction, tag, problem }: Said, before: TransactionState): Finish {
  if (isKnown(transaction)) return { kind: "refused", problem: problem ?? STILL_OPEN };
  if (sql === "COMMIT" && (problem !== undefined || tag === "ROLLBACK" || before === FAILED)) return { kind: "rolled-back", problem };
  // There was none to be rolled back.
  return problem === undefined ? { kind: "done" } : { kind: "nothing" };
}

/** Whether a session is there, and a front end leases it. */
export function isHeldBy(frontEndId: string, facts: SessionFacts): boolean {
  const isThere = facts.activity === SessionActivity.RUNNING || facts.activity === SessionActivity.IDLE;
  return facts.kind === SessionKind.LEASED && isThere && facts.frontEndId === frontEndId;
}

/** How a session's transaction stands by Core's facts. What runs may have begun or ended one. */
export function stateOf({ activity, transactionState }: SessionFacts): TransactionState {
  if (activity !== SessionActivity.IDLE) return UNSPECIFIED;
  return transactionState === UNSPECIFIED ? IDLE : transactionState;
}

export function isKnown(transaction: TransactionState): boolean {
  return transaction === OPEN || transaction === FAILED;
}

/** Whether a tab has a transaction, as far as was heard last. */
export function hasKnown(session: TabSession | undefined): boolean {
  return session?.kind === "open" && isKnown(session.transaction);
}

export function hasUnknown(session: TabSession): boolean {
  return session.kind === "open" && session.transaction === UNSPECIFIED;
}

/** Whether a tab has, or may have, a transaction in a session. */
export function hasTransaction(session: TabSession, sessionId: string): boolean {
  return session.kind === "open" && session.sessionId === sessionId && session.transaction !== IDLE;
}

export function opened(sessionId: string, isShared: boolean): OpenSession {
  return { kind: "open", sessionId, transaction: IDLE, isBusy: false, endsSoon: false, isShared };
}

/** Why a session ended, for people. */
export const CAUSES: Readonly<Partial<Record<EndCause, string>>> = {
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
