import { type Result, ResultState, type StatementResult } from "../gen/core/v1/result_pb.ts";
import type { Rejection } from "../gen/plugin/v1/plugin_pb.ts";
import type { Script } from "./runs.ts";

/** Why a run was over before its end, other than that the database rejected a statement. */
export interface Ending {
  readonly why: "cancelled" | "deadline" | "lost";
  /** The statement that it came upon. Absent: none ran, or the last had ended by itself. */
  readonly statement: StatementResult | undefined;
  /** The database's word to it. Absent: it said none. */
  readonly rejection: Rejection | undefined;
}

const FAILURES: Readonly<Record<string, Ending["why"]>> = { DEADLINE: "deadline", CONNECTION_LOST: "lost" };

/** What the database answers to a cancel reads like a rejection, and is none. One that came just before it is. */
export function endingOf(result: Result): Ending | undefined {
  const last = result.statements.at(-1);
  const why = result.state === ResultState.CANCELLED ? "cancelled" : (FAILURES[result.failure?.reason ?? ""] ?? (isFarewell(last) ? "lost" : undefined));
  if (why === undefined) return undefined;
  const said = last?.end.case === "rejection" ? last.end.value : result.rejection;
  const rejection = said !== undefined && (why === "lost" || isOfCancel(said)) ? said : undefined;
  const isOver = last?.end.case === "summary" || last?.end.case === "limit" || (last?.end.case === "rejection" && rejection === undefined);
  return { why, statement: isOver ? undefined : last, rejection };
}

/** Whether a rejection answers a cancel: `query_canceled`, or the end of the session. */
function isOfCancel({ sqlstate, severity }: Rejection): boolean {
  return sqlstate === "57014" || isFatal(severity);
}

/** Whether a server ended the session, and said why in its last word to a statement. */
function isFarewell(statement: StatementResult | undefined): boolean {
  return statement?.end.case === "rejection" && isFatal(statement.end.value.severity);
}

function isFatal(severity: string): boolean {
  return /^(FATAL|PANIC)$/.test(severity);
}

/** What the database rejected of a statement. Not its answer when it was stopped, or went away. */
export function rejectionOf(result: Result, { statement, end }: StatementResult): Rejection | undefined {
  if (end.case !== "rejection") return undefined;
  const ending = endingOf(result);
  return ending?.rejection === end.value && ending.statement?.statement === statement ? undefined : end.value;
}

/** Statements of a script that never began. 0: none, or nobody counted. */
export function notRunOf(result: Result, statementCount: number | undefined): number {
  if (result.state === ResultState.RUNNING || statementCount === undefined) return 0;
  return Math.max(0, statementCount - result.statementCount);
}

/** `1 row`, `12,408 rows`. */
export function rowsText(count: bigint): string {
  return `${count.toLocaleString("en-US")} ${count === 1n ? "row" : "rows"}`;
}

/** Whether every statement of a script has ended, or the one behind which nothing more runs. */
export function isOver({ statements, statementCount }: Result, script: Script | undefined): boolean {
  const last = statements.at(-1);
  if (last === undefined || last.end.case === undefined || statementCount !== statements.length) return false;
  return (last.end.case === "rejection" && script?.goesOn !== true) || statements.length >= (script?.statementCount ?? Number.POSITIVE_INFINITY);
}
