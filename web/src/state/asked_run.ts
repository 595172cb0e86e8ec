import type { Problem } from "../transport/problem.ts";

/** A run that was asked for. */
export interface Asked {
  resultId: string | undefined;
  sessionId: string | undefined;
  /** What the tab showed before, and why that is not kept any more: unless it is. */
  before: string | undefined;
  beforeIsGone?: "idle" | "dropped";
  /** The end of asking. */
  ran?: Promise<unknown>;
  /** Breaks off what is waited for. */
  readonly stop: AbortController;
  /** Core has told of it: its own answer has nothing newer to say. */
  isFound?: true;
  /** No answer came: it is kept until it is known whether the run began. */
  isLost?: true;
  /** It is to be cancelled as soon as it is found. */
  isUnwanted?: true;
}

export const NEVER_ARRIVED: Problem = {
  message: "The run did not reach Core",
  reason: "",
  advice: "The connection broke before it was there: nothing ran, and nothing was sent again.",
};
export const NOT_BEGUN: Problem = { message: "Cancelled before it began", reason: "", advice: "Core knows nothing of it. If it begins all the same, it is stopped." };
export const STILL_RUNS: Problem = { message: "Nothing was run", reason: "", advice: "What was run here before still runs: wait for its end, or cancel it first." };
export const NOT_KNOWN: Problem = { message: "Nothing was run", reason: "", advice: "Core does not say yet what still runs here. Run it again in a moment." };

/** The end of a wait that somebody breaks off. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
}
