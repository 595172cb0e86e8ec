import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { keeper, page, store, textsIn } from "./fake_drafts.ts";

beforeEach(() => void vi.useFakeTimers());

const settle = () => vi.advanceTimersByTimeAsync(2_000);

test("a Core that cannot say what it keeps is asked again: what is typed meanwhile is told of, held, and saved in the end", async () => {
  const core = keeper();
  core.gate.before = () => Promise.reject(new ConnectError("too many calls", Code.ResourceExhausted));
  const { tabs, drafts } = page(core);
  await drafts.start();
  expect(drafts.trouble.getState().why).toBe("Too many calls");
  // There is nothing to lose yet.
  expect(drafts.holdsPage()).toBe(false);
  tabs.open("c1", "select 1");
  drafts.flush();
  expect(drafts.holdsPage()).toBe(true);
  await vi.advanceTimersByTimeAsync(60_000);
  core.gate.before = async () => undefined;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(textsIn(core)).toEqual(["select 1"]);
  expect([drafts.trouble.getState().why, drafts.holdsPage()]).toEqual([undefined, false]);
});

test("a text that another window put on another connection is not put into a tab that holds a session here: both are kept", async () => {
  for (const connectionId of ["c1", "c2"]) {
    const core = keeper();
    const storage = store();
    const [first, second] = [page(core), page(core, storage)];
    await first.drafts.start();
    const tab = first.tabs.open("c1", "common");
    await settle();
    await second.drafts.start();
    second.tabs.change(tab.id, { sessionId: "s1" });
    first.tabs.change(tab.id, { text: "theirs", connectionId });
    await settle();
    const again = page(core, storage);
    await again.drafts.start();
    await settle();
    const isSame = connectionId === "c1";
    expect(again.tabs.active).toMatchObject({ text: isSame ? "theirs" : "common", connectionId: "c1", sessionId: "s1" });
    expect([...core.kept.values()].map(({ content }) => [content?.text, content?.connectionId]).toSorted()).toEqual(isSame ? [["theirs", "c1"]] : [["common", "c1"], ["theirs", "c2"]]);
  }
});

test("that a text was seen is never written down before the text itself", async () => {
  const core = keeper();
  const storage = store();
  const [first, second] = [page(core), page(core, storage)];
  await first.drafts.start();
  const tab = first.tabs.open("c1", "common".repeat(20_000));
  await settle();
  await second.drafts.start();
  first.tabs.change(tab.id, { text: "theirs".repeat(20_000) });
  await settle();
  const seen: string[] = [];
  const written: string[] = [];
  const again = page(core, {
    ...storage,
    setItem: (key, value) => {
      storage.setItem(key, value);
      (key === "querybox.drafts" ? seen : written).push(value);
    },
  });
  const before = storage.getItem("querybox.drafts");
  await again.drafts.start();
  await vi.advanceTimersByTimeAsync(500);
  expect([again.tabs.active?.text.slice(0, 6), written.length, seen.filter((value) => value !== before)]).toEqual(["theirs", 0, []]);
  await settle();
  expect(seen.at(-1)).not.toBe(before);
  // What is typed on is saved in each pause, and all tabs are written down once a second for that.
  written.length = 0;
  for (let at = 0; at < 10; at++) {
    again.tabs.change(tab.id, { text: `${at}`.repeat(120_000) });
    await vi.advanceTimersByTimeAsync(450);
  }
  expect(written.length).toBeLessThan(6);
});
