import { expect, test, vi } from "vitest";
import { Toasts } from "./toasts.ts";

test("what is said again stands there once, for its own time", () => {
  vi.useFakeTimers();
  const toasts = new Toasts();
  const texts = () => toasts.store.getState().map(({ text }) => text);
  toasts.say("84 cells are copied");
  toasts.fail("Not saved", "the disk is full");
  vi.advanceTimersByTime(4_000);
  toasts.say("84 cells are copied");
  toasts.fail("Not saved", "the link is gone");
  expect(texts()).toEqual(["Not saved", "84 cells are copied", "Not saved"]);
  vi.advanceTimersByTime(4_000);
  expect(texts()).toContain("84 cells are copied");
  vi.advanceTimersByTime(1_000);
  expect(texts()).toEqual(["Not saved", "Not saved"]);
  vi.useRealTimers();
});
