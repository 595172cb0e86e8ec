import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Entry } from "../transport/host.ts";
import { LinkKeeper } from "./link.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const gone = new ConnectError("Failed to fetch", Code.Unknown);

/** A keeper whose host answers one entry after the other, the last one for ever. */
function keeper(...entries: Entry[]) {
  let next = 0;
  return new LinkKeeper({
    transport: undefined as never,
    enter: async () => entries[Math.min(next++, entries.length - 1)] ?? { kind: "in" },
  });
}

test("a lost Core is asked for until it is back, and whoever waits is told once", async () => {
  const away: Entry = { kind: "unreachable", error: gone };
  const link = keeper({ kind: "in" }, away, away, { kind: "in" });
  let returns = 0;
  link.onReturn(() => returns++);
  await link.enter();
  expect(link.store.getState().kind).toBe("in");
  link.hear(gone);
  link.hear(gone);
  expect(link.store.getState().kind).toBe("lost");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(link.store.getState()).toEqual({ kind: "in" });
  expect(returns).toBe(1);
});

test("another run of Core does not know the token, and the page says so", async () => {
  const link = keeper({ kind: "in" }, { kind: "out", why: "token-old" });
  await link.enter();
  link.hear(gone);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(link.store.getState()).toEqual({ kind: "out", why: "token-old" });
});

test("what Core refuses is not a lost Core", async () => {
  const link = keeper({ kind: "in" });
  await link.enter();
  expect(link.hear(new ConnectError("the name is taken", Code.AlreadyExists))?.message).toBe("The name is taken");
  expect(link.store.getState().kind).toBe("in");
});

test("what the page broke off itself is told to nobody", async () => {
  const link = keeper({ kind: "in" });
  await link.enter();
  expect(link.hear(new ConnectError("canceled", Code.Canceled))).toBeUndefined();
});

test("a page that nobody answers comes in by itself once somebody does", async () => {
  const away: Entry = { kind: "unreachable", error: gone };
  const link = keeper(away, away, { kind: "in" });
  let isIn = false;
  void link.whenIn().then(() => (isIn = true));
  await link.enter();
  expect(link.store.getState().kind).toBe("failed");
  await vi.advanceTimersByTimeAsync(6_000);
  expect([link.store.getState().kind, isIn]).toEqual(["failed", false]);
  await vi.advanceTimersByTimeAsync(6_000);
  expect([link.store.getState().kind, isIn]).toEqual(["in", true]);
});

test("a Core that hangs is found out, and one that answers is left alone", async () => {
  const away: Entry = { kind: "unreachable", error: gone };
  const link = keeper({ kind: "in" }, { kind: "in" }, away, { kind: "in" });
  await link.enter();
  await link.check();
  expect(link.store.getState().kind).toBe("in");
  await link.check();
  expect(link.store.getState().kind).toBe("lost");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(link.store.getState().kind).toBe("in");
});

test("a try that ends late says nothing over a later one, unless it came in", async () => {
  const ends: ((entry: Entry) => void)[] = [];
  const link = new LinkKeeper({ transport: undefined as never, enter: () => new Promise((resolve) => void ends.push(resolve)) });
  const away: Entry = { kind: "unreachable", error: gone };
  const seen: string[] = [];
  link.store.subscribe(({ kind }) => seen.push(kind));
  void link.enter();
  void link.enter();
  ends[1]?.({ kind: "in" });
  await vi.advanceTimersByTimeAsync(0);
  ends[0]?.(away);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([seen.at(-1), ends.length]).toEqual(["in", 2]);
  // Lost: the user asks at once, twice, and the first one is answered last.
  link.hear(gone);
  link.tryNow();
  link.tryNow();
  ends[3]?.(away);
  ends[2]?.({ kind: "in" });
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.at(-1)).toBe("in");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toHaveLength(4);
  // The second try of a link that the first one spent, which came in.
  void link.enter();
  void link.enter();
  ends[5]?.({ kind: "out", why: "code-spent" });
  await vi.advanceTimersByTimeAsync(0);
  ends[4]?.({ kind: "in" });
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.at(-1)).toBe("in");
  link.close();
});

test("of two tries at a lost Core one goes on", async () => {
  const ends: ((entry: Entry) => void)[] = [];
  const link = new LinkKeeper({ transport: undefined as never, enter: () => new Promise((resolve) => void ends.push(resolve)) });
  void link.enter();
  ends[0]?.({ kind: "in" });
  await vi.advanceTimersByTimeAsync(0);
  link.hear(gone);
  await vi.advanceTimersByTimeAsync(2_000);
  link.tryNow();
  for (const end of ends.slice(1)) end({ kind: "unreachable", error: gone });
  await vi.advanceTimersByTimeAsync(60_000);
  // The one that follows hangs: no other timer asks beside it.
  expect(ends).toHaveLength(4);
  expect(link.store.getState()).toMatchObject({ kind: "lost", tries: 1 });
  link.close();
});

test("a call that takes too long does not lose a Core that answers another one, and many of them ask but twice", async () => {
  const late = new ConnectError("the operation timed out", Code.DeadlineExceeded);
  const entries: Entry[] = [{ kind: "in" }, { kind: "in" }, { kind: "in" }, { kind: "unreachable", error: gone }];
  let asked = 0;
  const link = new LinkKeeper({ transport: undefined as never, enter: async () => entries[asked++] ?? { kind: "in" } });
  await link.enter();
  expect([late, late, late].map((error) => link.hear(error)?.message)).toEqual(Array(3).fill("Core does not answer"));
  await vi.advanceTimersByTimeAsync(0);
  expect([link.store.getState().kind, asked]).toEqual(["in", 3]);
  // Nobody answers the other one either.
  link.hear(late);
  await vi.advanceTimersByTimeAsync(0);
  expect(link.store.getState().kind).toBe("lost");
  link.close();
});
