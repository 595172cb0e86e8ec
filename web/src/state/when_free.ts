import { reasonOf } from "../transport/problem.ts";

/** A session in which something short runs, such as a look at the catalog, is asked for again this soon. */
const AGAIN_MS = 250;
/** One in which something runs for long is asked for no more often than this. */
const AGAIN_MAX_MS = 4_000;

/**
 * Does what a session refuses, before it begins, while something else runs there: again and again, for as long as it is wanted.
 * `onWait` hears that it waits.
 */
export async function whenFree<T>(call: () => Promise<T>, isWanted: () => boolean, onWait: () => void = () => undefined): Promise<T> {
  for (let pause = AGAIN_MS; ; pause = Math.min(2 * pause, AGAIN_MAX_MS)) {
    try {
      return await call();
    } catch (error) {
      if (reasonOf(error) !== "SESSION_BUSY" || !isWanted()) throw error;
    }
    onWait();
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
