import { reasonOf } from "../transport/problem.ts";

/** A session in which something short runs, such as a look at the catalog, is asked for again this soon. */
const AGAIN_MS = 250;
/** One in which something runs for long is asked for no more often than this. */
const AGAIN_MAX_MS = 1_000;

export interface Wait {
  readonly isWanted: () => boolean;
  /** Hears that it waits. */
  readonly onWait?: () => void;
  /** Breaks off a pause: nothing is asked for any more. */
  readonly signal?: AbortSignal;
  /** The longest pause, where nobody sits and waits. */
  readonly pauseMaxMs?: number;
}

/** Does what a session refuses, before it begins, while something else runs there: again and again, for as long as it is wanted. */
export async function whenFree<T>(call: () => Promise<T>, { isWanted, onWait, signal, pauseMaxMs = AGAIN_MAX_MS }: Wait): Promise<T> {
  for (let pause = AGAIN_MS; ; pause = Math.min(2 * pause, pauseMaxMs)) {
    try {
      return await call();
    } catch (error) {
      if (reasonOf(error) !== "SESSION_BUSY" || !isWanted()) throw error;
    }
    onWait?.();
    await paused(pause, signal);
    signal?.throwIfAborted();
  }
}

function paused(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, milliseconds);
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    }
    if (signal?.aborted === true) end();
    else signal?.addEventListener("abort", end);
  });
}
