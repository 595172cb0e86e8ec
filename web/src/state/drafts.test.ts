import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { DraftSchema, TextKeeping } from "../gen/core/v1/draft_pb.ts";
import { KeptChangedSchema, KeptKind } from "../gen/core/v1/event_pb.ts";
import { keeper, page, store, textsIn } from "./fake_drafts.ts";
import { News } from "./news.ts";

beforeEach(() => void vi.useFakeTimers());

const settle = () => vi.advanceTimersByTimeAsync(2_000);

test("what is typed is kept, and opened by a page that has nothing", async () => {
  const core = keeper();
  const first = page(core);
  await first.drafts.start();
  const one = first.tabs.open("c1", "select 1");
  first.tabs.open("c2", "select 2");
  await settle();
  first.tabs.change(one.id, { text: "select 1 + 1", resultId: "r1", sessionId: "s1" });
  await settle();
  const second = page(core);
  await second.drafts.start();
  // The result is another window's, to which the session belongs alone.
  expect(second.tabs.store.getState().tabs.map(({ text, resultId, sessionId, isGuest }) => [text, resultId, sessionId, isGuest])).toEqual([
    ["select 1 + 1", "r1", undefined, true],
    ["select 2", undefined, undefined, undefined],
  ]);
});

test("a page whose network drops while it opens opens all texts later, also after a reload, and each once", async () => {
  const core = keeper();
  const first = page(core);
  await first.drafts.start();
  for (const text of ["select 1", "select 2", "select 3"]) first.tabs.open("c1", text);
  await settle();
  const shown = ({ tabs }: ReturnType<typeof page>) => tabs.store.getState().tabs.map(({ text }) => text);
  const storage = store();
  const second = page(core, storage);
  let reads = 0;
  core.gate.before = () => (++reads === 2 ? Promise.reject(new ConnectError("Failed to fetch", Code.Unknown)) : Promise.resolve());
  const begun: (readonly string[])[] = [];
  second.drafts.onBegin(async () => begun.push(shown(second)));
  await second.drafts.start();
  expect(shown(second)).toEqual([]);
  // What is opened meanwhile makes it no page that has seen them.
  second.tabs.open("c1", "select 4");
  core.gate.before = async () => undefined;
  const again = page(core, storage);
  await Promise.all([again.drafts.start(), again.drafts.start()]);
  expect(shown(again)).toEqual(["select 1", "select 2", "select 3", "select 4"]);
  await second.drafts.start();
  expect(shown(second)).toEqual(["select 1", "select 2", "select 3", "select 4"]);
  // What waits for them hears of them once they are all there, and once.
  await second.drafts.start();
  expect(begun).toEqual([["select 1", "select 2", "select 3", "select 4"]]);
  await settle();
  // Closed here, they stay so.
  for (const { id } of again.tabs.store.getState().tabs) again.tabs.close(id);
  const last = page(core, storage);
  await last.drafts.start();
  expect(shown(last)).toEqual([]);
});

test("a closed tab is kept no more", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  const tab = tabs.open("c1", "select 1");
  await settle();
  tabs.close(tab.id);
  await settle();
  expect(core.kept.size).toBe(0);
});

test("two pages that change one text keep both", async () => {
  const core = keeper();
  const first = page(core);
  await first.drafts.start();
  const tab = first.tabs.open("c1", "common");
  await settle();
  const second = page(core);
  await second.drafts.start();
  first.tabs.change(tab.id, { text: "mine" });
  await settle();
  second.tabs.change(tab.id, { text: "yours" });
  await settle();
  expect([...core.kept.values()].map(({ content }) => content?.text).toSorted()).toEqual(["mine", "yours"]);
  expect(second.tabs.active?.text).toBe("yours");
});

test("a window in which nothing was typed makes no copy of what another one changed", async () => {
  const core = keeper();
  const storage = store();
  const first = page(core);
  await first.drafts.start();
  const [tab, other] = [first.tabs.open("c1", "common"), first.tabs.open("c1", "beside")];
  await settle();
  const second = page(core, storage);
  await second.drafts.start();
  first.tabs.change(tab.id, { text: "mine", connectionId: "c2" });
  await settle();
  // A tab that is dragged, or has run, is saved again: its text is the old one.
  second.tabs.move(tab.id, other.id);
  await settle();
  expect(textsIn(core).toSorted()).toEqual(["beside", "mine"]);
  expect(second.tabs.store.getState().tabs.map(({ text }) => text)).toContain("common");
  // Loaded again, it shows the new one.
  const again = page(core, storage);
  await again.drafts.start();
  await settle();
  // With the connection that it was written for.
  expect(again.tabs.store.getState().tabs.map(({ id, text, connectionId, taken }) => [id, text, connectionId, taken])).toContainEqual([tab.id, "mine", "c2", 1]);
  // And whoever has the text open goes on with it: the other one typed nothing.
  first.tabs.change(tab.id, { text: "mine too" });
  await settle();
  expect(textsIn(core).toSorted()).toEqual(["beside", "mine too"]);
  // Who types now, does so on the old one: both are kept.
  again.tabs.change(tab.id, { text: "yours" });
  await settle();
  expect(textsIn(core).toSorted()).toEqual(["beside", "mine too", "yours"]);
});

test("a window that is loaded again after another one was takes nothing for changed", async () => {
  const core = keeper();
  const storages = [store(), store()] as const;
  const begun = page(core, storages[0]);
  await begun.drafts.start();
  const tab = begun.tabs.open("c1", "common");
  await settle();
  await page(core, storages[1]).drafts.start();
  const [first, second] = [page(core, storages[0]), page(core, storages[1])];
  await first.drafts.start();
  await settle();
  await second.drafts.start();
  await settle();
  first.tabs.change(tab.id, { text: "changed" });
  await settle();
  expect(textsIn(core)).toEqual(["changed"]);
});

test("a Core that forgot everything is told again", async () => {
  const storage = store();
  const first = page(keeper(), storage);
  await first.drafts.start();
  first.tabs.open("c1", "select 1");
  await settle();
  const anew = keeper();
  const second = page(anew, storage);
  await second.drafts.start();
  await settle();
  expect([...anew.kept.values()].map(({ content }) => content?.text)).toEqual(["select 1"]);
});

test("a tab that is closed while its text is on its way stays closed", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  let arrive: () => void = () => undefined;
  core.gate.before = (call) => (call === "save" ? new Promise((resolve) => (arrive = resolve)) : Promise.resolve());
  const tab = tabs.open("c1", "select 1");
  await settle();
  tabs.close(tab.id);
  await settle();
  expect(core.kept.size).toBe(0);
  arrive();
  await settle();
  expect(core.kept.size).toBe(0);
});

test("a closed tab is kept no more though nobody heard that its text had arrived", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  core.gate.after = () => Promise.reject(new Error("the connection is gone"));
  const tab = tabs.open("c1", "select 1");
  await settle();
  expect(core.kept.size).toBe(1);
  tabs.close(tab.id);
  await settle();
  expect(core.kept.size).toBe(0);
});

test("a tab that is opened again while Core is away is kept", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  const tab = tabs.open("c1", "select 1");
  await settle();
  core.gate.before = () => Promise.reject(new Error("Core is away"));
  tabs.close(tab.id);
  await settle();
  tabs.reopen();
  await settle();
  core.gate.before = async () => undefined;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(textsIn(core)).toEqual(["select 1"]);
  expect(drafts.trouble.getState().why).toBeUndefined();
});

test("a tab that is opened again while its draft is being deleted is kept", async () => {
  for (const fails of [false, true]) {
    const core = keeper();
    const { tabs, drafts } = page(core);
    await drafts.start();
    const tab = tabs.open("c1", "select 1");
    await settle();
    let arrive: () => void = () => undefined;
    core.gate.before = (call) =>
      call === "delete" ? new Promise((resolve, reject) => (arrive = fails ? () => reject(new Error("Core is away")) : resolve)) : Promise.resolve();
    tabs.close(tab.id);
    await settle();
    tabs.reopen();
    await settle();
    arrive();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(textsIn(core)).toEqual(["select 1"]);
    // And it is forgotten when it is closed for good.
    core.gate.before = async () => undefined;
    tabs.close(tab.id);
    await settle();
    expect(textsIn(core)).toEqual([]);
  }
});

test("a tab that was closed and opened again is told of what another page wrote", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  const tab = tabs.open("c1", "select 1");
  await settle();
  core.gate.before = () => Promise.reject(new Error("Core is away"));
  tabs.close(tab.id);
  await settle();
  const draft = core.kept.get(tab.id);
  if (draft?.content === undefined) throw new Error("it was saved");
  core.kept.set(tab.id, create(DraftSchema, { ...draft, revision: draft.revision + 1n, content: { ...draft.content, text: "another one's" } }));
  tabs.reopen();
  tabs.change(tab.id, { text: "select 1 + 1" });
  core.gate.before = async () => undefined;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(textsIn(core).toSorted()).toEqual(["another one's", "select 1 + 1"]);
});

test("what cannot be saved is said, tried again with pauses that grow, and saved in the end", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  let tries = 0;
  core.gate.before = () => {
    tries += 1;
    return Promise.reject(new Error("the store is full"));
  };
  const tab = tabs.open("c1", "select 1");
  await vi.advanceTimersByTimeAsync(500);
  expect(drafts.trouble.getState().why).toBeDefined();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(12);
  // Typing on does not hammer at it.
  tabs.change(tab.id, { text: "select 2" });
  await vi.advanceTimersByTimeAsync(1_000);
  core.gate.before = async () => undefined;
  await vi.advanceTimersByTimeAsync(31_000);
  expect([...core.kept.values()].map(({ content }) => content?.text)).toEqual(["select 2"]);
  expect(drafts.trouble.getState().why).toBeUndefined();
});

test("what could not be saved and is taken back is unsaved no more", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  const tab = tabs.open("c1", "select 1");
  await settle();
  for (const gate of ["before", "after"] as const) {
    core.gate[gate] = () => Promise.reject(new Error("Core is away"));
    tabs.change(tab.id, { text: "select 12" });
    await settle();
    expect(drafts.trouble.getState().why).toBeDefined();
    tabs.change(tab.id, { text: "select 1" });
    await settle();
    core.gate[gate] = async () => undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(drafts.trouble.getState().why).toBeUndefined();
    expect(drafts.holdsPage()).toBe(false);
    // Also where the other one had arrived without an answer.
    expect(textsIn(core)).toEqual(["select 1"]);
  }
});

test("a text that arrived without an answer is not taken for another one's", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  core.gate.after = () => Promise.reject(new Error("the connection is gone"));
  const tab = tabs.open("c1", "select 1");
  await vi.advanceTimersByTimeAsync(500);
  core.gate.after = async () => undefined;
  tabs.change(tab.id, { text: "select 1 + 1" });
  await settle();
  await settle();
  expect([...core.kept.values()].map(({ content }) => content?.text)).toEqual(["select 1 + 1"]);
  expect(tabs.store.getState().tabs).toHaveLength(1);
});

test("how Core keeps texts is told anew by each text that it takes", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  expect(drafts.keeping.getState().value).toBe("sealed");
  core.gate.keeping = TextKeeping.MEMORY;
  tabs.open("c1", "select 1");
  await settle();
  expect(drafts.keeping.getState().value).toBe("memory");
});

test("a page that goes sends what was typed last at once, and brings nothing back that was closed", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  const other = tabs.open("c1", "select 0");
  await settle();
  core.gate.before = () => Promise.reject(new Error("Core is away"));
  tabs.close(other.id);
  await settle();
  core.gate.before = async () => undefined;
  tabs.open("c1", "select 1");
  drafts.flush();
  await vi.advanceTimersByTimeAsync(1);
  expect(textsIn(core)).toContain("select 1");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(textsIn(core)).toEqual(["select 1"]);
});

test("a page is held back while what was typed is on its way, or too long to be sent as the page goes", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  const [one, other] = [tabs.open("c1", "select 1"), tabs.open("c1")];
  await settle();
  expect(drafts.holdsPage()).toBe(false);
  let arrive: () => void = () => undefined;
  core.gate.before = () => new Promise((resolve) => (arrive = resolve));
  tabs.change(one.id, { text: "select 2" });
  // It is short, and sent as the page goes.
  expect(drafts.holdsPage()).toBe(false);
  await vi.advanceTimersByTimeAsync(500);
  tabs.change(one.id, { text: "select 23" });
  expect(drafts.holdsPage()).toBe(true);
  core.gate.before = async () => undefined;
  arrive();
  await settle();
  expect(drafts.holdsPage()).toBe(false);
  // Two that are short enough alone are not so together.
  tabs.change(one.id, { text: "é".repeat(20_000) });
  expect(drafts.holdsPage()).toBe(false);
  tabs.change(other.id, { text: "x".repeat(40_000) });
  expect(drafts.holdsPage()).toBe(true);
  await settle();
  expect(drafts.holdsPage()).toBe(false);
});

test("a text that another window has closed is saved again by the one that shows it", async () => {
  const core = keeper();
  const news = new News();
  const [first, second] = [page(core, store(), news), page(core)];
  await first.drafts.start();
  first.tabs.open("c1", "select 1");
  await settle();
  await second.drafts.start();
  const shown = second.tabs.active;
  if (shown === undefined) throw new Error("it is opened");
  second.tabs.close(shown.id);
  await vi.advanceTimersByTimeAsync(100);
  expect(textsIn(core)).toEqual([]);
  news.hear(create(KeptChangedSchema, { kind: KeptKind.DRAFT, id: shown.id, removed: true }), "settings");
  await settle();
  expect(textsIn(core)).toEqual(["select 1"]);
  // Opened again it is the same draft, of which there is one.
  second.tabs.reopen();
  await settle();
  expect(textsIn(core)).toEqual(["select 1"]);
  expect(second.tabs.store.getState().tabs).toHaveLength(1);
});
