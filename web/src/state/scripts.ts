import { StatementKind } from "../gen/core/v1/script_pb.ts";
import type { ScriptStatement } from "../gen/core/v1/script_pb.ts";
import type { Span } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import { isAborted } from "../transport/problem.ts";
import { placeOfByte } from "./offsets.ts";

/** A statement in a text, by places in units of UTF-16. */
export interface StatementPlace {
  readonly from: number;
  readonly to: number;
  /** The values that it needs, by name. */
  readonly parameters: readonly string[];
  /** It changes rows, or what there is. */
  readonly changes: boolean;
}

/** Where the statements of a text lie. */
export interface Outline {
  readonly text: string;
  readonly statements: readonly StatementPlace[];
  /** The one that is meant by whoever has the cursor there. */
  readonly atCursor: StatementPlace | undefined;
}

/** Where is asked only for so much of a text: what follows is rarely run by the statement. */
const TEXT_MAX = 4_000_000;

/** Asks Core where statements end: it alone knows, by the facts of each database. `undefined`: it could not be asked. */
export async function outlineOf(core: Core, driverType: string, text: string, cursor: number, signal: AbortSignal): Promise<Outline | undefined> {
  if (text.length > TEXT_MAX) return undefined;
  try {
    const answer = await core.scripts.splitScript({ driverType, text, cursor: { case: "cursorUtf16", value: cursor } }, { signal });
    const atCursor = answer.atCursor === undefined ? undefined : placeOf(answer.atCursor);
    return { text, statements: answer.statements.map(placeOf), atCursor };
  } catch (error) {
    // Without an answer nothing but all of it, or what is selected, can be run.
    if (!isAborted(error)) return undefined;
    throw error;
  }
}

function placeOf({ span, parameters, kind }: ScriptStatement): StatementPlace {
  return {
    from: span?.startUtf16 ?? 0,
    to: span?.endUtf16 ?? 0,
    parameters: parameters.map(({ name }) => name),
    changes: kind === StatementKind.CHANGE || kind === StatementKind.DEFINITION,
  };
}

/** The value of a parameter. `null`: NULL. */
export interface Binding {
  readonly name: string;
  readonly value: string | null;
}

/** What is to be run of a text: what is selected, all of it, or the statement at the cursor. */
export interface Wanted {
  readonly sql: string;
  /** Where it begins in the text. */
  readonly offset: number;
  readonly statements: readonly StatementPlace[];
  /** The values that it was run with before. Absent: those that the tab has now. */
  readonly bindings?: readonly Binding[];
}

/**
 * Why nothing is run, and nothing else instead. `unread`: nobody knows where the statement begins and ends; `none`: there is none at
 * the cursor; `parts`: several parts are selected; `no-values`: nobody knows any more which values it was run with.
 */
export type NotWanted = "unread" | "none" | "parts" | "no-values";

/** What is said of it. */
export const NOT_WANTED: Readonly<Record<Exclude<NotWanted, "none">, string>> = {
  unread: "Where the statement begins and ends could not be read. Select it, or run all.",
  parts: "Several parts are selected. Select one of them, or run all.",
  "no-values": "Which values its parameters had is not known any more, since this page was loaded again. Give them, and run the statement at the cursor.",
};

/** What is wanted of what an editor has. */
export function wantedOf(
  outline: Outline | undefined,
  text: string,
  selection: { readonly from: number; readonly to: number; readonly hasParts?: true },
  isAll: boolean,
): Wanted | NotWanted {
  const statements = outline?.text === text ? outline.statements : [];
  if (!isAll && selection.hasParts === true) return "parts";
  if (!isAll && selection.from !== selection.to) {
    const { from, to } = selection;
    return { sql: text.slice(from, to), offset: from, statements: statements.filter((place) => place.from < to && place.to > from) };
  }
  if (isAll) return { sql: text, offset: 0, statements };
  if (outline?.text !== text) return "unread";
  const place = outline.atCursor;
  if (place === undefined) return "none";
  return { sql: text.slice(place.from, place.to), offset: place.from, statements: [place] };
}

/** The values that a script needs, each once. */
export function parametersOf({ statements }: Pick<Wanted, "statements">): readonly string[] {
  return [...new Set(statements.flatMap(({ parameters }) => parameters))];
}

/**
 * What was run is run again, wherever the cursor is by now: all of it, or the one of its statements that lies at `span`. `unread`: nobody
 * knows where that one ends, or which values it needs; `no-values`: nobody knows which it had.
 */
export function againOf(outline: Outline | undefined, before: Pick<Wanted, "sql" | "offset" | "bindings">, span: Span | undefined): Wanted | "unread" | "no-values" {
  if (outline?.text !== before.sql) return "unread";
  const { sql, offset, bindings } = before;
  const again = (place: { readonly from: number; readonly to: number }, statements: readonly StatementPlace[]): Wanted | "no-values" => {
    if (bindings === undefined && parametersOf({ statements }).length > 0) return "no-values";
    return { sql: sql.slice(place.from, place.to), offset: offset + place.from, ...(bindings === undefined ? {} : { bindings }), statements };
  };
  if (span === undefined || outline.statements.length === 1) return again({ from: 0, to: sql.length }, outline.statements);
  const at = placeOfByte(sql, span.startByte);
  const place = outline.statements.find(({ from, to }) => from <= at && at < to);
  return place === undefined ? "unread" : again(place, [place]);
}
