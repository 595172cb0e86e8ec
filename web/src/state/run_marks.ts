import type { Result, StatementResult } from "../gen/core/v1/result_pb.ts";
import type { Span } from "../gen/plugin/v1/plugin_pb.ts";
import { milliseconds, spanText } from "./connection_test.ts";
import { type Ending, endingOf, rejectionOf, rowsText } from "./endings.ts";
import { placeOfByte, placesOfBytes } from "./offsets.ts";
import type { Run, Script } from "./runs.ts";
import { resultOf } from "./run_view.ts";
import type { StatementPlace } from "./scripts.ts";

/** A place in the editor's text that the database named. */
export interface Fault {
  /** The statement that was rejected. */
  readonly statement: number;
  readonly at: number;
  readonly message: string;
}

/** Where a script that was sent stands in the text now. `undefined`: it does not stand there any more, so that places in it say nothing. */
export function scriptIn(text: string, script: Script | undefined): Script | undefined {
  if (script === undefined || text.startsWith(script.sql, script.offset)) return script;
  // The same text may stand there twice: what was typed above moved it a little.
  const [before, behind] = [text.lastIndexOf(script.sql, script.offset), text.indexOf(script.sql, script.offset)];
  if (before < 0 && behind < 0) return undefined;
  const isBefore = behind < 0 || (before >= 0 && script.offset - before < behind - script.offset);
  return { ...script, offset: isBefore ? before : behind };
}

/** Where the database found faults, in the editor's text. */
export function faultsOf(result: Result | undefined, script: Script | undefined): readonly Fault[] {
  if (script === undefined) return [];
  return (result?.statements ?? []).flatMap((statement) => {
    const rejection = result === undefined ? undefined : rejectionOf(result, statement);
    if (rejection?.positionByte === undefined) return [];
    return [{ statement: statement.statement, at: script.offset + placeOfByte(script.sql, rejection.positionByte), message: rejection.message }];
  });
}

interface Marks {
  readonly bar: { readonly from: number; readonly to: number; readonly tone: "meant" | "runs" | "rejected" } | undefined;
  readonly said: readonly { readonly at: number; readonly text: string }[];
}

/** What the editor shows of a run: which statement it is at, and what came of each. */
export function marksOf(run: Run, script: Script | undefined, meant: StatementPlace | undefined): Marks {
  const result = resultOf(run);
  const spans = (result?.statements ?? []).flatMap(({ span, end }) => [span, end.case === "rejection" ? end.value.span : undefined]);
  const places = script === undefined ? undefined : placesOfBytes(script.sql, spans.flatMap((span) => (span === undefined ? [] : [span.startByte, span.endByte])));
  const placeIn = (span: Span | undefined) => {
    const [from, to] = [places?.get(span?.startByte ?? -1), places?.get(span?.endByte ?? -1)];
    return script === undefined || from === undefined || to === undefined ? undefined : { from: script.offset + from, to: script.offset + to };
  };
  const said = (result?.statements ?? []).flatMap((statement) => {
    const place = placeIn(statement.span);
    const text = result === undefined ? "" : saidOf(result, statement);
    return place === undefined || text === "" ? [] : [{ at: place.to, text }];
  });
  const now = run.kind === "running" ? placeIn(result?.statements.at(-1)?.span) : undefined;
  if (now !== undefined) return { bar: { ...now, tone: "runs" }, said };
  const rejected = result?.statements.find((statement) => rejectionOf(result, statement) !== undefined);
  const place = rejected?.end.case === "rejection" ? placeIn(rejected.end.value.span ?? rejected.span) : undefined;
  if (place !== undefined) return { bar: { ...place, tone: "rejected" }, said };
  return { bar: meant === undefined ? undefined : { from: meant.from, to: meant.to, tone: "meant" }, said };
}

const ENDED: Readonly<Record<Ending["why"], string>> = { cancelled: "cancelled", deadline: "stopped by the deadline", lost: "connection lost" };

/** `12,408 rows in 0.38 s` */
function saidOf(result: Result, statement: StatementResult): string {
  const { end, returnsRows, rowCount } = statement;
  const ending = endingOf(result);
  if (ending?.statement === statement && end.case !== "summary") return ENDED[ending.why];
  if (end.case === "rejection") return "rejected";
  if (end.case !== "summary") return "";
  const { affectedRows, elapsed, commandTag } = end.value;
  const what = returnsRows ? rowsText(rowCount) : affectedRows === undefined ? commandTag : `${rowsText(affectedRows)} changed`;
  return `${what} in ${spanText(milliseconds(elapsed))}`;
}
