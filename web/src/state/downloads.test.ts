import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Downloads, WAIT_MS } from "./downloads.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("downloads whose end was missed are told once, and no others", () => {
  const said: string[] = [];
  const downloads = new Downloads();
  const miss = () => downloads.miss((name) => said.push(name));
  for (const name of ["a.csv", "a.csv", "b.csv", "goes-on.csv"]) downloads.begin(name);
  downloads.hearEnd("a.csv");
  downloads.hearEnd("of another page.csv");
  miss();
  vi.advanceTimersByTime(WAIT_MS / 2);
  expect(said).toEqual([]);
  // It ran all the time, and its end is heard.
  downloads.hearEnd("goes-on.csv");
  downloads.begin("later.csv");
  miss();
  vi.advanceTimersByTime(WAIT_MS / 2);
  expect(said).toEqual(["a.csv", "b.csv"]);
  downloads.hearEnd("later.csv");
  miss();
  vi.advanceTimersByTime(WAIT_MS * 2);
  expect(said).toEqual(["a.csv", "b.csv"]);
});
