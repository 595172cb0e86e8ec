const LOOK_MS = 15_000;
/** Browsers slow the clocks of pages that nobody sees down to one tick a minute. */
const SLEPT_MS = 120_000;

/**
 * Calls when what was connected may not be any more without a word of it: the machine slept, or has a network again. And when
 * the page is seen again; and now and then while it is seen.
 */
export function onWake(wake: () => void, seen: () => void, check: () => void): void {
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (now - last > SLEPT_MS) wake();
    last = now;
    if (document.visibilityState === "visible") check();
  }, LOOK_MS);
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") seen();
  });
}
