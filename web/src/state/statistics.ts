import type { Statistics } from "../gen/core/v1/result_pb.ts";
import type { Core } from "../transport/core.ts";
import { type Problem, problemOf } from "../transport/problem.ts";

export interface ColumnPlace {
  readonly resultId: string;
  readonly statement: number;
  readonly view: number;
  readonly column: number;
}

/** What there is to say of a column, as far as it is known. */
export type ColumnFacts =
  | { readonly kind: "counting"; readonly share: number }
  | { readonly kind: "ready"; readonly statistics: Statistics; readonly ms: number }
  | { readonly kind: "failed"; readonly problem: Problem };

/** Sums a column up. */
export async function* readStatistics(core: Core, place: ColumnPlace, signal: AbortSignal): AsyncGenerator<ColumnFacts> {
  const begun = performance.now();
  yield { kind: "counting", share: 0 };
  try {
    for await (const { part } of core.results.getStatistics(place, { signal })) {
      if (part.case === "progress") {
        const { rowsDone, rowsAll } = part.value;
        yield { kind: "counting", share: rowsAll === 0n ? 0 : Number(rowsDone) / Number(rowsAll) };
      } else if (part.case === "statistics") yield { kind: "ready", statistics: part.value, ms: performance.now() - begun };
    }
  } catch (error) {
    if (!signal.aborted) yield { kind: "failed", problem: problemOf(error) };
  }
}

/** The ends of a bar, as people read them. Times are told in seconds since 1970 or midnight. */
export function barText(value: number, family: string, isDay: boolean): string {
  if (family !== "time") return String(Number(value.toPrecision(6)));
  if (isDay) return new Date(value * 1000).toISOString().slice(11, 19);
  const text = new Date(value * 1000).toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text.slice(0, 19).replace("T", " ");
}
