import type { Runs } from "./runs.ts";

/** What an editor had when a run was asked for. */
export interface EditorNow {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly cursor: number;
  /** More than one part is selected: `from` and `to` are of the first. */
  readonly hasParts?: true;
}

/** Why nothing is run of what was asked for. `runs`: something runs there, as anybody sees. */
export type NotRun = "runs" | "changed" | "left" | "still-ends";

/** What is said of it. */
export const NOT_RUN: Readonly<Record<Exclude<NotRun, "runs">, string>> = {
  changed: "The text was changed while the session of the run before ended. Run it again.",
  left: "The tab was left while the session of the run before ended.",
  "still-ends": "The session of the run before has not ended yet. Run it again in a moment, or cancel it.",
};

/**
 * Waits for a run of which only the session's end is left, and answers with what the editor had when the run was asked for: what is
 * typed meanwhile is not run.
 */
export async function whenEnded(runs: Pick<Runs, "closing" | "of">, tabId: string, editor: () => EditorNow | undefined): Promise<EditorNow | NotRun> {
  const pressed = editor();
  const hasWaited = await runs.closing(tabId);
  const { kind } = runs.of(tabId);
  if (kind === "starting" || kind === "running") return hasWaited && kind === "running" ? "still-ends" : "runs";
  const now = editor();
  if (pressed === undefined || now === undefined) return "left";
  return now.text === pressed.text ? pressed : "changed";
}
