import { expect, test } from "vitest";
import { createStore } from "zustand/vanilla";
import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { App, Overlay } from "./app.ts";
import { closeOtherTabs, closeTab, moveTab, tabsInTransaction } from "./close_tabs.ts";
import { type Run, Runs } from "./runs.ts";
import type { TabSession } from "./tab_session.ts";
import { TabSessions } from "./tab_sessions.ts";
import { Tabs } from "./tabs.ts";

const OPEN = { kind: "open", sessionId: "s", isBusy: false, endsSoon: false, isShared: false } as const;

function page(session: TabSession, run: Run = { kind: "idle" }) {
  let made = 0;
  const tabs = new Tabs({ getItem: () => null, setItem: () => undefined }, () => `tab-${made++}`);
  const [first, second] = [tabs.open("c"), tabs.open("c")];
  const sessions: TabSessions = Object.create(TabSessions.prototype);
  const runs: Runs = Object.create(Runs.prototype);
  sessions.of = (id) => (id === first.id ? session : { kind: "none" });
  runs.of = (id) => (id === first.id ? run : { kind: "idle" });
  const overlay = createStore<Overlay>(() => ({ kind: "none" }));
  const app: Pick<App, "tabs" | "sessions" | "runs" | "overlay"> = { tabs, sessions, runs, overlay };
  return { app, first, second, left: () => tabs.store.getState().tabs.map(({ id }) => id) };
}

test("a tab is closed without a question where nothing goes with it", () => {
  for (const session of [{ kind: "none" }, { ...OPEN, transaction: TransactionState.IDLE }, { ...OPEN, transaction: TransactionState.IDLE, isShared: true }] as const) {
    const { app, first, second, left } = page(session);
    closeTab(app, first.id);
    expect(left()).toEqual([second.id]);
    expect(app.overlay.getState().kind).toBe("none");
  }
  // What still runs in a session that others share is cancelled, and rolled back behind it.
  const shared = page({ ...OPEN, transaction: TransactionState.IDLE, isShared: true }, { kind: "starting", startedAt: 0 });
  closeTab(shared.app, shared.first.id);
  expect([shared.left(), shared.app.overlay.getState().kind]).toEqual([[shared.second.id], "none"]);
});

test("who closes a tab with a transaction is asked, and nothing is closed before", () => {
  for (const transaction of [TransactionState.OPEN, TransactionState.FAILED, TransactionState.UNSPECIFIED]) {
    const { app, first, second, left } = page({ ...OPEN, transaction });
    closeTab(app, first.id);
    expect(left()).toEqual([first.id, second.id]);
    expect(app.overlay.getState()).toEqual({ kind: "close-tabs", tabIds: [first.id] });
  }
  // In a session that others share, its transaction is its own.
  const shared = page({ ...OPEN, transaction: TransactionState.OPEN, isShared: true });
  closeTab(shared.app, shared.first.id);
  expect(shared.app.overlay.getState()).toEqual({ kind: "close-tabs", tabIds: [shared.first.id] });
  // What runs may have begun one.
  const { app, first, left } = page({ ...OPEN, transaction: TransactionState.IDLE }, { kind: "starting", startedAt: 0 });
  closeTab(app, first.id);
  expect(left()).toContain(first.id);
});

test("of the others, only those with a transaction are asked for", () => {
  const { app, first, second, left } = page({ ...OPEN, transaction: TransactionState.OPEN });
  const third = app.tabs.open("c");
  closeOtherTabs(app, second);
  expect(left()).toEqual([first.id, second.id]);
  expect(left()).not.toContain(third.id);
  expect(app.overlay.getState()).toEqual({ kind: "close-tabs", tabIds: [first.id] });
});

test("the tabs in a transaction are told by connection, those that share a session too", () => {
  for (const isShared of [true, false]) {
    const { app, first } = page({ ...OPEN, transaction: TransactionState.OPEN, isShared });
    app.tabs.open("other");
    expect(tabsInTransaction(app, "c").map(({ id }) => id)).toEqual([first.id]);
    expect(tabsInTransaction(app, "other")).toEqual([]);
  }
  expect(tabsInTransaction(page({ ...OPEN, transaction: TransactionState.IDLE }).app, "c")).toEqual([]);
});

test("a tab goes to another connection, but leaves no transaction behind", () => {
  const { app, first, second } = page({ ...OPEN, transaction: TransactionState.OPEN });
  expect([moveTab(app, first, "d"), moveTab(app, second, "d"), moveTab(app, first, "c")]).toEqual([false, true, true]);
  expect(app.tabs.store.getState().tabs.map(({ connectionId }) => connectionId)).toEqual(["c", "d"]);
  // What runs in a shared session may have begun one.
  const shared = page({ ...OPEN, transaction: TransactionState.IDLE, isShared: true }, { kind: "starting", startedAt: 0 });
  expect(moveTab(shared.app, shared.first, "d")).toBe(false);
});
