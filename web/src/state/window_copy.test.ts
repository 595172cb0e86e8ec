import { expect, test } from "vitest";
import { parseTabs } from "./tabs.ts";
import { partFromOriginal } from "./window_copy.ts";

const TAB = { id: "d", title: "Query 1", connectionId: "c", text: "select 1" };

function copyOf(kept: Readonly<Record<string, string>>, room = Number.POSITIVE_INFINITY) {
  const items = new Map(Object.entries(kept));
  partFromOriginal({
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => {
      if (value.length > room) throw new DOMException("full", "QuotaExceededError");
      items.set(key, value);
    },
    removeItem: (key) => void items.delete(key),
  });
  return items;
}

test("a copy keeps the texts and the right to call, and neither leases nor runs anything", () => {
  const tabs = JSON.stringify({
    tabs: [{ ...TAB, resultId: "r", sessionId: "s", runs: true }, { ...TAB, id: "e", second: true }],
    activeId: "e",
    closed: [{ ...TAB, id: "f" }],
  });
  const items = copyOf({ "querybox.tabs": tabs, "querybox.front-end": "first", "querybox.token": "t", "querybox.drafts": '[["d","7"]]' });
  expect([...items.keys()].toSorted()).toEqual(["querybox.drafts", "querybox.tabs", "querybox.token"]);
  expect(parseTabs(items.get("querybox.tabs") ?? null)).toEqual({
    tabs: [{ ...TAB, resultId: "r", isGuest: true }, { ...TAB, id: "e", second: true }],
    activeId: "e",
    otherId: "d",
    closed: [{ ...TAB, id: "f" }],
  });
});

test("a copy for which there is no room has nothing of the first one", () => {
  const items = copyOf({ "querybox.tabs": JSON.stringify({ tabs: [{ ...TAB, sessionId: "s" }] }), "querybox.front-end": "first" }, 10);
  expect([...items.keys()]).toEqual([]);
});
