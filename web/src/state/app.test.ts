import { createStore } from "zustand/vanilla";
import { expect, test } from "vitest";
import { holdsPage } from "./app.ts";
import type { Link } from "./link.ts";

/** A page in which something was typed that Core has not got. `isFull`: the browser has no room for it either. */
function pageWith({ kind, isFull = false }: { readonly kind: Link["kind"]; readonly isFull?: boolean }) {
  const app = {
    tabs: { isFull: createStore(() => ({ value: isFull })), store: createStore(() => ({ tabs: [] })) },
    drafts: { lacksSome: true, holdsPage: () => true },
    link: { store: createStore(() => ({ kind })) },
  };
  return app as unknown as Parameters<typeof holdsPage>[0];
}

test("a new link is followed without a question, where what is typed is kept", () => {
  const locked = pageWith({ kind: "out" });
  expect(holdsPage(locked, true)).toBe(false);
  // Who closes the page loses it, and so does a new link where nothing could be kept.
  expect(holdsPage(locked)).toBe(true);
  expect(holdsPage(pageWith({ kind: "out", isFull: true }), true)).toBe(true);
  expect(holdsPage(pageWith({ kind: "in" }), true)).toBe(true);
});
