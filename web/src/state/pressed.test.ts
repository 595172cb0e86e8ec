import { expect, test } from "vitest";
import { type EditorNow, whenEnded } from "./pressed.ts";
import type { Run } from "./runs.ts";

const AT_A: EditorNow = { text: "select 1; delete from t", from: 3, to: 3, cursor: 3 };

function page(after: Run = { kind: "idle" }) {
  let free: () => void = () => undefined;
  const wait = new Promise<boolean>((resolve) => (free = () => resolve(true)));
  const editor: { now: EditorNow | undefined } = { now: AT_A };
  const answer = whenEnded({ closing: () => wait, of: () => after }, "tab", () => editor.now);
  return { editor, answer, free };
}

test("what is run is what stood at the cursor when it was asked for", async () => {
  const { editor, answer, free } = page();
  editor.now = { ...AT_A, from: 20, to: 20, cursor: 20 };
  free();
  expect(await answer).toEqual(AT_A);
});

test("a text that was changed during the wait is not run", async () => {
  const { editor, answer, free } = page();
  editor.now = { ...AT_A, text: "select 1; delete from other" };
  free();
  expect(await answer).toBe("changed");
});

test("a tab that was left, and a session that does not end, are told", async () => {
  const left = page();
  left.editor.now = undefined;
  left.free();
  expect(await left.answer).toBe("left");
  const other = page({ kind: "starting", startedAt: 0 });
  other.free();
  expect(await other.answer).toBe("runs");
});
