import { expect, test } from "vitest";
import { inTurn } from "./in_turn.ts";

test("what is asked for while it is done is done once more, for all who asked", async () => {
  const ends: (() => void)[] = [];
  const ask = inTurn(() => new Promise((resolve) => void ends.push(resolve)));
  const first = ask();
  const [second, third] = [ask(), ask()];
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await first;
  await Promise.resolve();
  expect(ends).toHaveLength(2);
  let isOver = false;
  void second.then(() => (isOver = true));
  await Promise.resolve();
  expect(isOver).toBe(false);
  ends[1]?.();
  await Promise.all([second, third]);
  expect(ends).toHaveLength(2);
});

test("one that fails keeps nobody from the next", async () => {
  let tries = 0;
  const ask = inTurn(() => (++tries === 1 ? Promise.reject(new Error("once")) : Promise.resolve()));
  const first = ask();
  const second = ask();
  await expect(first).rejects.toThrow("once");
  await second;
  expect(tries).toBe(2);
});
