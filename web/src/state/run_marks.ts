import type { Result, StatementResult } from "../gen/core/v1/result_pb.ts";
import type { Span } from "../gen/plugin/v1/plugin_pb.ts";
import { milliseconds, spanText } from "./connection_test.ts";
import { placeOfByte } from "./offsets.ts";
import type { Run, Script } from "./runs.ts";
import { resultOf } from "./run_view.ts";
import type { StatementPlace } from "./scripts.ts";

/** A place in the editor's text that the database named. */
export interface Fault {
  /** The statement that was refused. */
  readonly statement: number;
  readonly at: number;
  readonly message: string;
}

/** Where the database found faults, in the editor's text. */
export function faultsOf(result: Result | undefined, script: Script | undefined): readonly Fault[] {
  if (script === undefined) return [];
  return (result?.statements ?? []).flatMap(({ end, statement }) => {
    if (end.case !== "rejection" || end.value.positionByte === undefined) return [];
    return [{ statement, at: script.offset + placeOfByte(script.sql, end.value.positionByte), message: end.value.message }];
  });
}

interface Marks {
  readonly bar: { readonly from: number; readonly to: number; readonly tone: "meant" | "runs" | "refused" } | undefined;
  readonly said: readonly { readonly at: number; readonly text: string }[];
}

/** What the editor shows of a run: which statement it is at, and what came of each. */
export function marksOf(run: Run, script: Script | undefined, meant: StatementPlace | undefined): Marks {
  const result = resultOf(run);
  const placeIn = (span: Span | undefined) =>
    script === undefined || span === undefined
      ? undefined
      : { from: script.offset + placeOfByte(script.sql, span.startByte), to: script.offset + placeOfByte(script.sql, span.endByte) };
  const said = (result?.statements ?? []).flatMap((statement) => {
    const place = placeIn(statement.span);
    const text = saidOf(statement);
    return place === undefined || text === "" ? [] : [{ at: place.to, text }];
  });
  const now = run.kind === "running" ? placeIn(result?.statements.at(-1)?.span) : undefined;
  if (now !== undefined) return { bar: { ...now, tone: "runs" }, said };
  const refused = result?.statements.find(({ end }) => end.case === "rejection");
  const place = refused?.end.case === "rejection" ? placeIn(refused.end.value.span ?? refused.span) : undefined;
  if (place !== undefined) return { bar: { ...place, tone: "refused" }, said };
  return { bar: meant === undefined ? undefined : { from: meant.from, to: meant.to, tone: "meant" }, said };
}

/** `12,408 rows in 0.38 s` */
function saidOf({ end, returnsRows, rowCount }: StatementResult): string {
  if (end.case === "rejection") return "refused";
  if (end.case !== "summary") return "";
  const { affectedRows, elapsed, commandTag } = end.value;
  const rows = (count: bigint) => `${count.toLocaleString("en-US")} ${count === 1n ? "row" : "rows"}`;
  const what = returnsRows ? rows(rowCount) : affectedRows === undefined ? commandTag : `${rows(affectedRows)} changed`;
  return `${what} in ${spanText(milliseconds(elapsed))}`;
}
