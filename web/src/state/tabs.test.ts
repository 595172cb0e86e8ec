import { expect, test, vi } from "vitest";
import { parseTabs, Tabs, TABS_KEY } from "./tabs.ts";

function tabs() {
  const kept = new Map<string, string>();
  let id = 0;
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const make = () => new Tabs(storage, () => `t${++id}`);
  return { opened: make(), again: make };
}

const titles = (opened: Tabs) => opened.store.getState().tabs.map((tab) => tab.title);

test("a new tab stands behind the active one and is the active one", () => {
  const { opened } = tabs();
  const first = opened.open("c");
  opened.open("c");
  opened.activate(first.id);
  opened.open("c");
  expect(titles(opened)).toEqual(["Query 1", "Query 3", "Query 2"]);
  expect(opened.active?.title).toBe("Query 3");
});

test("closing leads to the neighbor, and what was closed is opened again with its text", () => {
  const { opened } = tabs();
  opened.open("c");
  const second = opened.open("c", "select 1");
  opened.close(second.id);
  expect(opened.active?.title).toBe("Query 1");
  opened.reopen();
  expect(opened.active).toEqual(second);
});

test("a connection that is gone takes no texts with it", () => {
  const { opened } = tabs();
  opened.open("c");
  opened.open("c", "select 1");
  opened.close(opened.open("c", "select 2").id);
  opened.open("d");
  opened.forget("c");
  expect(titles(opened)).toEqual(["Query 2", "Query 4"]);
  opened.reopen();
  opened.reopen();
  expect(opened.active?.text).toBe("select 2");
});

test("steps go around the ends", () => {
  const { opened } = tabs();
  opened.open("c");
  opened.open("c");
  opened.step(1);
  expect(opened.active?.title).toBe("Query 1");
  opened.step(-1);
  expect(opened.active?.title).toBe("Query 2");
});

test("a tab is dragged to another one's place, either way", () => {
  const { opened } = tabs();
  const ids = [1, 2, 3].map(() => opened.open("c").id);
  opened.move(ids[0] ?? "", ids[2] ?? "");
  expect(titles(opened)).toEqual(["Query 2", "Query 3", "Query 1"]);
  opened.move(ids[0] ?? "", ids[1] ?? "");
  expect(titles(opened)).toEqual(["Query 1", "Query 2", "Query 3"]);
});

test("a tab goes to a second panel, each panel shows one of its own, and closing gives the room back", () => {
  const { opened, again } = tabs();
  const [a, b, c] = [1, 2, 3].map(() => opened.open("c").id) as [string, string, string];
  const state = () => opened.store.getState();
  opened.cross(c);
  expect(state()).toMatchObject({ activeId: c, otherId: b });
  opened.other();
  expect(state()).toMatchObject({ activeId: b, otherId: c });
  const d = opened.open("c").id;
  expect(state()).toMatchObject({ activeId: d, otherId: c });
  // Steps stay in the panel.
  opened.step(1);
  expect(state().activeId).toBe(a);
  opened.activate(c);
  expect(state()).toMatchObject({ activeId: c, otherId: a });
  expect(again().store.getState()).toEqual(state());
  opened.close(c);
  expect(state().otherId).toBeUndefined();
  expect(state().activeId).toBe(a);
  expect(state().tabs.some(({ second }) => second)).toBe(false);
});

test("the last tab of the first panel takes the second panel's tabs with it when it is closed or moved", () => {
  const { opened } = tabs();
  const [a, b] = [1, 2].map(() => opened.open("c").id) as [string, string];
  const state = () => opened.store.getState();
  opened.cross(b);
  opened.move(a, b);
  expect(state()).toMatchObject({ activeId: a, otherId: undefined });
  expect(titles(opened)).toEqual(["Query 1", "Query 2"]);
  opened.cross(b);
  expect(state()).toMatchObject({ activeId: b, otherId: a });
  opened.close(a);
  expect(state()).toMatchObject({ activeId: b, otherId: undefined });
  // Alone it goes nowhere.
  opened.cross(b);
  expect(state()).toMatchObject({ activeId: b, otherId: undefined });
  opened.reopen();
  expect(state()).toMatchObject({ activeId: a, otherId: undefined });
});

test("panels are arranged as they were kept, as far as their tabs are there", () => {
  const { opened } = tabs();
  const [a, b, c] = [1, 2, 3].map(() => opened.open("c").id) as [string, string, string];
  opened.arrange(new Set([b, "gone"]), b, c);
  expect(opened.store.getState()).toMatchObject({ activeId: b, otherId: c });
  opened.arrange(new Set(["gone"]), "gone", "gone");
  expect(opened.store.getState()).toMatchObject({ activeId: a, otherId: undefined });
  expect(opened.beside(c).map(({ id }) => id)).toEqual([a, b]);
});

test("what is typed is there after a reload", () => {
  const { opened, again } = tabs();
  const tab = opened.open("c");
  opened.change(tab.id, { text: "select 'ä'" });
  expect(again().active?.text).toBe("select 'ä'");
});

test("what was kept by another version is taken as far as it goes", () => {
  expect(parseTabs("no JSON")).toEqual({ tabs: [], activeId: undefined, closed: [] });
  expect(parseTabs('{"tabs":[1,{"id":"a"}],"activeId":7}').tabs).toEqual([]);
  expect(parseTabs("null").tabs).toEqual([]);
});

test("a full storage keeps nobody from hearing of changes, and what was closed makes room first", () => {
  let room = 1_000;
  let kept = "";
  const storage = {
    getItem: () => null,
    setItem: (key: string, text: string) => {
      if (text.length > room) throw new DOMException("full", "QuotaExceededError");
      if (key === TABS_KEY) kept = text;
    },
  };
  let made = 0;
  const tabs = new Tabs(storage, () => `t${made++}`);
  let heard = 0;
  tabs.store.subscribe(() => (heard += 1));
  const long = tabs.open("c", "x".repeat(700));
  tabs.close(long.id);
  const other = tabs.open("c", "y".repeat(500));
  // Both do not fit, and the open one is there.
  expect(kept).toContain("yyy");
  expect(kept).not.toContain("xxx");
  expect(tabs.isFull.getState().value).toBe(false);
  tabs.change(other.id, { text: "z".repeat(2_000) });
  expect(heard).toBe(4);
  expect(tabs.isFull.getState().value).toBe(true);
  // After a reload nothing old is taken for what was typed last.
  expect(kept).toBe("");
  expect(new Tabs({ getItem: () => kept, setItem: () => undefined }, () => "t").wereKept).toBe(false);
  room = 10_000;
  tabs.change(other.id, { text: "z" });
  expect(tabs.isFull.getState().value).toBe(false);
});

test("where there is no room for texts, a reload finds runs and sessions again", () => {
  const items = new Map<string, string>();
  const storage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, text: string) => {
      if (text.length > 1_000) throw new DOMException("full", "QuotaExceededError");
      items.set(key, text);
    },
  };
  const before = new Tabs(storage, () => "draft");
  const tab = before.open("c", "x".repeat(2_000));
  before.change(tab.id, { resultId: "r", sessionId: "s", runs: true });
  const after = new Tabs(storage, () => "other");
  expect(after.wereKept).toBe(false);
  // As Core has them, they are another window's.
  const kept = { title: "Query 1", connectionId: "c", text: tab.text, resultId: "r", isGuest: true as const };
  after.restore([{ ...kept, id: "draft" }, { ...kept, id: "theirs" }]);
  expect(after.store.getState().tabs.map(({ isGuest, sessionId, runs }) => [isGuest, sessionId, runs])).toEqual([
    [undefined, "s", true],
    [true, undefined, undefined],
  ]);
});

test("what is opened before texts have come from Core takes no run and no session from theirs", () => {
  const items = new Map([[TABS_KEY, ""], ["querybox.tabs.held", JSON.stringify([["draft", { sessionId: "s" }]])]]);
  const storage = { getItem: (key: string) => items.get(key) ?? null, setItem: (key: string, text: string) => void items.set(key, text) };
  const before = new Tabs(storage, () => "new");
  before.open("c", "typed while Core was away");
  // Loaded again, before anything has come.
  const after = new Tabs(storage, () => "other");
  expect([after.wereKept, [...after.lacking]]).toEqual([true, ["draft"]]);
  after.restore([{ id: "draft", title: "Query 1", connectionId: "c", text: "from Core" }]);
  expect(after.store.getState().tabs).toMatchObject([{ id: "draft", sessionId: "s" }, { id: "new", text: "typed while Core was away" }]);
  const last = new Tabs(storage, () => "last");
  expect([last.wereKept, last.lacksSome]).toEqual([true, false]);
});

test("where one panel is drawn, all tabs are reached, closed and left as one row", () => {
  let made = 0;
  const tabs = new Tabs({ getItem: () => null, setItem: () => undefined }, () => "abcd"[made++] ?? "");
  for (let count = 0; count < 4; count++) tabs.open("c1");
  tabs.arrange(new Set(["b", "d"]), "a", "b");
  const seen = () => {
    tabs.step(1);
    return tabs.active?.id;
  };
  expect([seen(), seen()]).toEqual(["c", "a"]);
  tabs.drawn.setState({ one: true });
  expect([seen(), seen(), seen(), seen()]).toEqual(["b", "c", "d", "a"]);
  expect(tabs.beside("a").map(({ id }) => id)).toEqual(["b", "c", "d"]);
  tabs.close("a");
  expect(tabs.active?.id).toBe("b");
  tabs.close("b");
  expect(tabs.active?.id).toBe("c");
});

test("a long text is written down in pauses, and at once when the page goes or something else changes", () => {
  vi.useFakeTimers();
  try {
    const written: string[] = [];
    const tabs = new Tabs({ getItem: () => null, setItem: (key, value) => void (key === TABS_KEY && written.push(value)) }, () => "t");
    const { id } = tabs.open("c", "x".repeat(200_000));
    const type = (text: string) => tabs.change(id, { text: "x".repeat(200_000) + text });
    const last = () => parseTabs(written.at(-1) ?? "").tabs[0]?.text.replaceAll("x", "");
    written.length = 0;
    type("a");
    type("ab");
    expect(written).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect([written.length, last()]).toEqual([1, "ab"]);
    type("abc");
    tabs.flush();
    expect([written.length, last()]).toEqual([2, "abc"]);
    vi.advanceTimersByTime(10_000);
    expect(written.length).toBe(2);
    type("abcd");
    tabs.change(id, { resultId: "r", runs: true });
    expect([written.length, last()]).toEqual([3, "abcd"]);
    // A short one goes at once.
    tabs.change(id, { text: "select 1" });
    expect(written.length).toBe(4);
  } finally {
    vi.useRealTimers();
  }
});
