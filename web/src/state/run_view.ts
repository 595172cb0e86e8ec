import { type Result, type ResultFailure, ResultState, type StatementResult, KeepLimitKind } from "../gen/core/v1/result_pb.ts";
import { type Rejection, StoppedBy, TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import { milliseconds, spanText } from "./connection_test.ts";
import { type Ending, endingOf, notRunOf, rejectionOf, rowsText } from "./endings.ts";
import type { Run } from "./runs.ts";
import type { ShownView } from "./views.ts";

/** A tab of the results: a statement with rows, or what was refused. */
export type ResultTab =
  | { readonly kind: "rows"; readonly key: string; readonly label: string; readonly statement: StatementResult }
  | {
      readonly kind: "rejected";
      readonly key: string;
      readonly label: string;
      readonly rejection: Rejection;
      /** Absent: the whole script was refused. */
      readonly statement?: number;
    };

export function resultOf(run: Run): Result | undefined {
  return "result" in run ? run.result : undefined;
}

/** The tabs of a result, in the order of its statements. */
export function tabsOf(result: Result): readonly ResultTab[] {
  const tabs: ResultTab[] = [];
  const rejections = new Map(result.statements.flatMap((statement) => {
    const rejection = rejectionOf(result, statement);
    return rejection === undefined ? [] : [[statement.statement, rejection] as const];
  }));
  for (const statement of result.statements) {
    const label = `Result ${tabs.length + 1}`;
    const rejection = rejections.get(statement.statement);
    // Rows that came before a rejection are kept and shown; the rejection then stands beside them.
    if (statement.returnsRows && (statement.end.case !== "rejection" || statement.rowCount > 0n)) {
      tabs.push({ kind: "rows", key: `rows ${statement.statement}`, label, statement });
    }
    if (rejection !== undefined) {
      // Where a script goes on, several may be rejected: they are told apart by the number that messages have too.
      const name = rejections.size > 1 ? `Rejected ${statement.statement + 1}` : "Rejected";
      tabs.push({ kind: "rejected", key: `rejected ${statement.statement}`, label: name, rejection, statement: statement.statement });
    }
  }
  if (result.rejection !== undefined && result.rejection !== endingOf(result)?.rejection) {
    tabs.push({ kind: "rejected", key: "rejected", label: "Rejected", rejection: result.rejection });
  }
  return tabs;
}

/** The tab that is shown when the user has chosen none: what was refused, else the first rows. */
export function firstTab(tabs: readonly ResultTab[]): ResultTab | undefined {
  return tabs.find((tab) => tab.kind === "rejected") ?? tabs[0];
}

export interface Count {
  readonly before: string;
  readonly number: string;
  readonly after: string;
  readonly isWarning: boolean;
}

/** How many rows there are, in honest words. */
export function countOf(statement: StatementResult): Count {
  const number = statement.rowCount.toLocaleString("en-US");
  const rows = statement.rowCount === 1n ? "row" : "rows";
  const { end } = statement;
  switch (end.case) {
    case undefined:
      return { before: "", number, after: `${rows} so far`, isWarning: false };
    case "summary":
      return end.value.stoppedBy === StoppedBy.UNSPECIFIED
        ? { before: "", number, after: rows, isWarning: false }
        : { before: "first", number, after: "of more: limit", isWarning: true };
    case "limit":
      return { before: "first", number, after: `of more: ${limitWord(end.value.kind)}`, isWarning: true };
    case "rejection":
    case "brokenOff":
      return { before: "", number, after: `${rows}, incomplete`, isWarning: true };
  }
}

/** How many rows of a view there are. Absent: no view is shown. */
export function shownCount(statement: StatementResult, shown: ShownView | undefined): Count | undefined {
  if (shown === undefined) return undefined;
  const number = shown.rowCount.toLocaleString("en-US");
  // A sort alone leaves none out; then the count is the statement's own.
  if (shown.rowCount === Number(statement.rowCount)) return undefined;
  const { before, number: all, after, isWarning } = countOf(statement);
  return { before: "", number, after: ["of", ...(before === "" ? [] : ["the", before]), all, after].join(" "), isWarning };
}

/** What an export has: with a statement that still runs it goes on to its end. */
export function exportedText(statement: StatementResult, shown: ShownView | undefined): string {
  if (shown === undefined && statement.end.case === undefined) return `Every row, ${statement.rowCount.toLocaleString("en-US")} so far`;
  const { before, number, after } = shownCount(statement, shown) ?? countOf(statement);
  return `${before} ${number} ${after}`.trim();
}

function limitWord(kind: KeepLimitKind): string {
  switch (kind) {
    case KeepLimitKind.RESULT_BYTES:
      return "as much as a result may take";
    case KeepLimitKind.ALL_BYTES:
      return "as much as all results may take";
    case KeepLimitKind.FREE_DISK:
    case KeepLimitKind.DISK_FULL:
      return "the disk is full";
    default:
      return "limit";
  }
}

export interface Message {
  readonly key: string;
  readonly tone: "plain" | "warn" | "danger";
  /** `1`, `2`: the statement that it is of. Empty: of none. */
  readonly statement: string;
  readonly text: string;
  readonly detail: string;
}

/** What was said while a result came: an end for each statement, and the database's own words. */
export function messagesOf(result: Result, statementCount?: number): readonly Message[] {
  const messages: Message[] = result.notices.map((notice, index) => ({
    key: `notice ${index}`,
    tone: /^(WARNING|ERROR)$/i.test(notice.severity) ? "warn" : "plain",
    statement: String(notice.statement + 1),
    text: notice.severity === "" ? notice.message : `${notice.severity}: ${notice.message}`,
    detail: [notice.detail, notice.hint].filter((text) => text !== "").join(" "),
  }));
  const unheard = result.noticeCount - BigInt(result.notices.length);
  if (unheard > 0n) messages.unshift({ key: "unheard", tone: "plain", statement: "", text: `${unheard.toLocaleString("en-US")} earlier messages are not kept`, detail: "" });
  const ending = endingOf(result);
  for (const statement of result.statements) messages.push(...endOf(result, statement, ending));
  if (ending !== undefined && ending.statement === undefined) messages.push(endMessage(ending, ""));
  if (result.failure !== undefined && ending === undefined) {
    messages.push({ key: "failure", tone: "danger", statement: "", text: failureText(result.failure), detail: failureAdvice(result.failure) });
  }
  const unseen = result.statementCount - result.statements.length;
  if (unseen > 0) messages.push({ key: "unseen", tone: "plain", statement: "", text: `${unseen.toLocaleString("en-US")} more statements ran, which are not listed here`, detail: "" });
  const notRun = notRunOf(result, statementCount);
  if (notRun > 0) messages.push({ key: "not-run", tone: "warn", statement: "", text: notRunText(notRun), detail: "" });
  return messages;
}

/** How a statement ended, if it has. */
function endOf(result: Result, statement: StatementResult, ending: Ending | undefined): readonly Message[] {
  const { end, rowCount } = statement;
  const common = { key: `end ${statement.statement}`, statement: String(statement.statement + 1) };
  switch (end.case) {
    case undefined:
      return ending !== undefined && ending.statement === statement ? [endMessage(ending, common.statement)] : [];
    case "summary": {
      const { commandTag, affectedRows, elapsed } = end.value;
      const rows = affectedRows === undefined ? rowsText(rowCount) : `${rowsText(affectedRows)} changed`;
      return [{ ...common, tone: "plain", text: commandTag, detail: `${rows} in ${spanText(milliseconds(elapsed))}` }];
    }
    case "limit":
      return [{ ...common, tone: "warn", text: `The rest was not kept: ${limitWord(end.value.kind)}`, detail: "" }];
    case "rejection":
    case "brokenOff": {
      const rejection = rejectionOf(result, statement);
      if (rejection !== undefined) return [{ ...common, tone: "danger", text: rejection.message, detail: rejection.hint || rejection.detail }];
      if (ending?.statement === statement) return [endMessage(ending, common.statement)];
      return [{ ...common, tone: "warn", text: "It did not come to its end", detail: "Rows that came before are kept." }];
    }
  }
}

const ENDINGS: Readonly<Record<Ending["why"], string>> = { cancelled: "Cancelled", deadline: "Stopped by the deadline", lost: "The server closed the connection" };

function endMessage({ why, rejection }: Ending, statement: string): Message {
  return { key: "ending", tone: why === "cancelled" ? "plain" : why === "deadline" ? "warn" : "danger", statement, text: ENDINGS[why], detail: rejection?.message ?? "" };
}

/** What a rejection kept from running, in words. */
export function notRunText(count: number): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? "statement" : "statements"} did not run`;
}

/** What failed, as a sentence. */
export function failureText({ message }: ResultFailure): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

export function failureAdvice({ reason }: ResultFailure): string {
  return reason === "DEADLINE"
    ? "Give it more time by the clock in the toolbar. Rows that arrived are kept."
    : "Rows that arrived are kept. Nothing was sent again.";
}

/** What there is to say of a tab's transaction. */
const TRANSACTION_WORDS: Readonly<Record<TransactionState, string>> = {
  [TransactionState.UNSPECIFIED]: "Transaction unknown",
  [TransactionState.IDLE]: "",
  [TransactionState.OPEN]: "In transaction",
  [TransactionState.FAILED]: "Failed transaction",
};

/** How a tab's run and its transaction stand, in a few words for the status bar. */
export function standText(run: Run, elapsedMs: number, transaction: TransactionState): string {
  const [word, open] = [stateWord(run, elapsedMs), TRANSACTION_WORDS[transaction]];
  if (open === "") return word;
  return word === "Idle" ? open : `${word} · ${open}`;
}

function stateWord(run: Run, elapsedMs: number): string {
  switch (run.kind) {
    case "idle":
    case "gone":
      return "Idle";
    case "lost":
      return "Lost";
    case "starting":
      return "Connecting";
    case "running":
      return run.isStopping ? "Stopping" : `Running ${(elapsedMs / 1000).toFixed(1)} s`;
    case "failed":
      return "Failed";
    case "ended":
      return endingOf(run.result)?.why === "lost" ? "Disconnected" : endWord(run.result.state);
  }
}

function endWord(state: ResultState): string {
  switch (state) {
    case ResultState.REJECTED:
      return "Rejected";
    case ResultState.CANCELLED:
      return "Cancelled";
    case ResultState.FAILED:
      return "Failed";
    case ResultState.LIMITED:
      return "Stopped at a limit";
    case ResultState.DONE:
    case ResultState.RUNNING:
    case ResultState.UNSPECIFIED:
      return "Idle";
  }
}
