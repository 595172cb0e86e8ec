import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { claimWindow, type WindowParts } from "./window.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Channel = ReturnType<NonNullable<WindowParts["channel"]>>;

/** A browser with its locks and its channel between pages. */
function browser() {
  const held = new Set<string>();
  const waiting = new Map<string, (() => void)[]>();
  const channels = new Set<Channel>();
  const request = async (name: string, options: LockOptions, hold: LockGrantedCallback<unknown>) => {
    // A browser asks another process.
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (held.has(name)) {
      await new Promise<void>((resolve, reject) => {
        waiting.set(name, [...(waiting.get(name) ?? []), resolve]);
        options.signal?.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")));
      });
    }
    held.add(name);
    await hold({ name, mode: "exclusive" });
    held.delete(name);
  };
  const channel = (): Channel => {
    const made: Channel = {
      onmessage: null,
      postMessage: (data: unknown) => {
        for (const other of channels) {
          if (other !== made) queueMicrotask(() => other.onmessage?.call(other as BroadcastChannel, new MessageEvent("message", { data })));
        }
      },
      close: () => void channels.delete(made),
    };
    channels.add(made);
    return made;
  };
  const goes = (name: string) => {
    held.delete(name);
    for (const resolve of waiting.get(name) ?? []) resolve();
  };
  return { locks: { request } as WindowParts["locks"], channel, channels, goes };
}

/** What comes of a claim, given all the time that it may take. */
async function answer<T>(claimed: Promise<T>): Promise<T> {
  await vi.advanceTimersByTimeAsync(6_000);
  return claimed;
}

let made = 0;

/** A page with what is stored in its browser tab, which a copy has too. */
function page(of: ReturnType<typeof browser>, items = new Map<string, string>(), without: Partial<WindowParts> = {}) {
  const storage = { getItem: (key: string) => items.get(key) ?? null, setItem: (key: string, value: string) => void items.set(key, value) };
  const parts: WindowParts = { storage, locks: of.locks, channel: of.channel, makeId: () => `id-${made++}`, ...without };
  return { items, claim: () => claimWindow(parts), name: () => items.get("querybox.window") };
}

for (const [what, without] of [
  ["with locks and a channel", {}],
  ["with locks alone", { channel: undefined }],
  ["with a channel alone", { locks: undefined }],
] as const) {
  test(`a copy of a page that lives gets a name of its own, ${what}`, async () => {
    const of = browser();
    const first = page(of, new Map(), without);
    expect(await answer(first.claim())).toEqual({ isCopy: false });
    const copy = page(of, new Map(first.items), without);
    expect(await answer(copy.claim())).toEqual({ isCopy: true });
    expect(copy.name()).not.toBe(first.name());
    // And a copy of the copy.
    expect(await answer(page(of, new Map(copy.items), without).claim())).toEqual({ isCopy: true });
  });
}

test("a page that is loaded again keeps its name, also when the old one lets go of it late", async () => {
  const of = browser();
  const first = page(of);
  await answer(first.claim());
  of.channels.clear();
  const again = page(of, new Map(first.items));
  const claimed = again.claim();
  await vi.advanceTimersByTimeAsync(3_000);
  of.goes(`querybox.window.${first.name()}`);
  expect(await claimed).toEqual({ isCopy: false });
  expect(again.name()).toBe(first.name());
});

test("without locks a page that is loaded again keeps its name when nobody answers to it", async () => {
  const of = browser();
  const first = page(of, new Map(), { locks: undefined });
  await answer(first.claim());
  of.channels.clear();
  const [one, two] = [page(of, new Map(first.items), { locks: undefined }), page(of, new Map(first.items), { locks: undefined })];
  // Of two that come back at once, as after a crash, one has it.
  const claimed = await answer(Promise.all([one.claim(), two.claim()]));
  expect(claimed.map(({ isCopy }) => isCopy).toSorted()).toEqual([false, true]);
});

test("a page without storage, locks and channel is no copy", async () => {
  const storage = {
    getItem: () => null,
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
  };
  expect(await answer(page(browser(), new Map(), { storage, locks: undefined, channel: undefined }).claim())).toEqual({ isCopy: false });
});
