import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { keeper, page, store, textsIn } from "./fake_drafts.ts";
import { HELD_KEY, type Tab } from "./tabs.ts";

beforeEach(() => void vi.useFakeTimers());

const settle = () => vi.advanceTimersByTimeAsync(2_000);
const shown = ({ tabs }: ReturnType<typeof page>) => tabs.store.getState().tabs.map(({ text }) => text);
const toCome = (storage: ReturnType<typeof store>) => (JSON.parse(storage.getItem(HELD_KEY) ?? "[]") as readonly (readonly [string])[]).map(([id]) => id);

/** A Core that has some texts, and cannot give the second one that it is asked for. */
async function lame(texts: readonly string[]) {
  const core = keeper();
  const first = page(core);
  await first.drafts.start();
  const tabs = texts.map((text) => first.tabs.open("c1", text));
  await settle();
  let reads = 0;
  core.gate.before = (call) => (call === "get" && ++reads === 2 ? Promise.reject(new ConnectError("the disk is slow", Code.Internal)) : Promise.resolve());
  return { core, ids: tabs.map(({ id }) => id) };
}

/** A browser that kept what its tabs held, and not their texts. */
function kept(held: readonly (readonly [string, Partial<Tab>])[]) {
  const storage = store();
  storage.setItem(HELD_KEY, JSON.stringify(held));
  return storage;
}

test("a text that could not be read keeps nobody from the others, and comes later with what its tab held", async () => {
  const { core, ids } = await lame(["select 1", "select 2", "select 3"]);
  const [, id = ""] = ids;
  const storage = kept([[ids[0] ?? "", { sessionId: "a" }], [id, { sessionId: "b" }]]);
  const second = page(core, storage);
  let begun = 0;
  second.drafts.onBegin(async () => begun++);
  await second.drafts.start();
  expect(shown(second)).toEqual(["select 1", "select 3"]);
  expect([second.tabs.lacksSome, toCome(storage), second.drafts.trouble.getState().why]).toEqual([true, [id], undefined]);
  // What is typed meanwhile is saved.
  second.tabs.open("c1", "select 4");
  await settle();
  expect(core.kept.size).toBe(4);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(shown(second).toSorted()).toEqual(["select 1", "select 2", "select 3", "select 4"]);
  expect(second.tabs.store.getState().tabs.find((tab) => tab.id === id)?.sessionId).toBe("b");
  expect([second.tabs.lacksSome, toCome(storage), begun]).toEqual([false, [], 2]);
  // It was the last one: nothing is read again, and what was closed stays so.
  second.tabs.close(id);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(shown(second).toSorted()).toEqual(["select 1", "select 3", "select 4"]);
});

test("a text that could not be read is found by a reload, though the others were opened", async () => {
  const { core } = await lame(["select 1", "select 2"]);
  const storage = store();
  const second = page(core, storage);
  await second.drafts.start();
  expect(shown(second)).toEqual(["select 1"]);
  await settle();
  const again = page(core, storage);
  await again.drafts.start();
  expect(shown(again).toSorted()).toEqual(["select 1", "select 2"]);
});

test("what is still to come makes no new window of a reload: only that is opened then", async () => {
  const { core, ids } = await lame(["select 1", "select 2"]);
  const storage = store();
  await page(core, storage).drafts.start();
  await settle();
  const other = page(core);
  await other.drafts.start();
  other.tabs.open("c1", "of another window");
  await settle();
  const again = page(core, storage);
  expect([again.tabs.wereKept, [...again.tabs.lacking]]).toEqual([true, [ids[1]]]);
  await again.drafts.start();
  expect(shown(again).toSorted()).toEqual(["select 1", "select 2"]);
  expect(toCome(storage)).toEqual([]);
});

test("what a tab held is not waited for when Core has its text no more, unless Core cannot open what it has", async () => {
  const { core, ids } = await lame(["select 1"]);
  const held = [[ids[0] ?? "", { sessionId: "a" }], ["gone", { sessionId: "b" }]] as const;
  const storage = kept(held);
  core.gate.before = async () => undefined;
  core.gate.unreadable = 1;
  const locked = page(core, storage);
  await locked.drafts.start();
  expect([locked.tabs.lacksSome, toCome(storage)]).toEqual([true, ["gone"]]);
  core.gate.unreadable = 0;
  const open = page(core, kept(held));
  await open.drafts.start();
  expect([shown(open), open.tabs.lacksSome]).toEqual([["select 1"], false]);
});

test("a text that takes too long on its way stops no saving, and comes later", async () => {
  const { core } = await lame(["select 1", "select 2"]);
  let reads = 0;
  core.gate.before = (call) => (call === "get" && ++reads === 2 ? new Promise(() => undefined) : Promise.resolve());
  const second = page(core);
  void second.drafts.start();
  await vi.advanceTimersByTimeAsync(25_000);
  expect([shown(second), second.link.store.getState().kind]).toEqual([["select 1"], "in"]);
  second.tabs.open("c1", "select 3");
  await settle();
  expect(core.kept.size).toBe(3);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(shown(second).toSorted()).toEqual(["select 1", "select 2", "select 3"]);
});

test("long texts have the time that a slow network takes for them", async () => {
  const core = keeper();
  const long = "x".repeat(4_000_000);
  const slow = () => new Promise<void>((resolve) => setTimeout(resolve, 100_000));
  core.gate.before = (call) => (call === "save" || call === "get" ? slow() : Promise.resolve());
  const first = page(core);
  await first.drafts.start();
  first.tabs.open("c1", long);
  await vi.advanceTimersByTimeAsync(110_000);
  expect([textsIn(core).length, first.drafts.trouble.getState().why, first.link.store.getState().kind]).toEqual([1, undefined, "in"]);
  const second = page(core);
  void second.drafts.start();
  await vi.advanceTimersByTimeAsync(110_000);
  expect(shown(second).map(({ length }) => length)).toEqual([long.length]);
});
