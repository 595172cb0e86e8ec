import { CellState as PbState } from "../gen/core/v1/result_pb.ts";
import type { Core } from "../transport/core.ts";
import { formatJson } from "./json_text.ts";
import type { CellState } from "./source.ts";

/** A value as far as the page shows it. */
export interface CellText {
  readonly text: string;
  readonly state: CellState;
  readonly shownBytes: bigint;
  readonly fullBytes: bigint;
  /** More of it is there than is shown. */
  readonly isPart: boolean;
}

export interface CellPlace {
  readonly resultId: string;
  readonly statement: number;
  readonly view: number;
  readonly row: bigint;
  readonly column: number;
}

/** Bytes that are shown at most: a page with more text than that is slow. */
const SHOWN_MAX = 1n << 20n;

/** Reads a cell's value. JSON that is whole is laid out for people; nothing else about it is changed. */
export async function readCell(core: Core, place: CellPlace, signal: AbortSignal, isLaidOut = true): Promise<CellText> {
  let text = "";
  let [textBytes, fullBytes] = [0n, 0n];
  let state: CellState = "value";
  for await (const piece of core.results.readCell({ ...place, bytesMax: SHOWN_MAX }, { signal })) {
    text += piece.text;
    textBytes = piece.textBytes;
    fullBytes = piece.fullSizeBytes === 0n ? piece.textBytes : piece.fullSizeBytes;
    if (piece.state === PbState.NULL) state = "null";
    if (piece.state === PbState.CUT) state = "cut";
    if (piece.state === PbState.UNDECODABLE) state = "undecodable";
  }
  const isPart = textBytes > SHOWN_MAX;
  const shownBytes = isPart ? SHOWN_MAX : textBytes;
  return { text: isPart || !isLaidOut || state !== "value" ? text : formatJson(text), state, shownBytes, fullBytes, isPart };
}
