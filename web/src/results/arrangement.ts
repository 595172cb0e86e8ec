import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ViewKindSchema } from "../gen/core/v1/result_pb.ts";
import { readFilter } from "./filter_text.ts";
import type { ResultColumn } from "./source.ts";

export interface SortKey {
  readonly column: number;
  readonly isDescending: boolean;
}

/** What is done with the rows of a result before they are shown. Nothing of it goes to the database. */
export interface Arrangement {
  /** As `readFilter` reads it. */
  readonly filter: string;
  readonly search: string;
  /** Each row once. */
  readonly isDistinct: boolean;
  /** The first before the others. */
  readonly sort: readonly SortKey[];
}

export const AS_THEY_CAME: Arrangement = { filter: "", search: "", isDistinct: false, sort: [] };

export type ViewStep = MessageInitShape<typeof ViewKindSchema>;

/** One view after the other: what leaves rows out comes first, for then the rest has less to do. */
export function stepsOf(arrangement: Arrangement, columns: readonly ResultColumn[]): readonly ViewStep[] {
  const steps: ViewStep[] = [];
  const filter = readFilter(arrangement.filter, columns);
  if (filter.kind === "condition") steps.push({ kind: { case: "filter", value: filter.condition } });
  if (arrangement.search !== "") steps.push({ kind: { case: "search", value: { text: arrangement.search } } });
  if (arrangement.isDistinct) steps.push({ kind: { case: "distinct", value: {} } });
  if (arrangement.sort.length > 0) {
    const keys = arrangement.sort.map(({ column, isDescending }) => ({ column, descending: isDescending }));
    steps.push({ kind: { case: "sort", value: { columns: keys } } });
  }
  return steps;
}

/** Another order by a column: up, down, and as it was. `isAdded`: beside the columns that it is sorted by already. */
export function cycledSort(sort: readonly SortKey[], column: number, isAdded: boolean): readonly SortKey[] {
  const key = sort.find((candidate) => candidate.column === column);
  const others = isAdded ? sort.filter((candidate) => candidate.column !== column) : [];
  if (key === undefined) return [...others, { column, isDescending: false }];
  if (key.isDescending) return others;
  return isAdded
    ? sort.map((candidate) => (candidate.column === column ? { column, isDescending: true } : candidate))
    : [{ column, isDescending: true }];
}
