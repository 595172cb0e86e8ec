import { expect, test } from "vitest";
import type { FoundConnection } from "./import_text.ts";
import { importAll } from "./import_run.ts";

const found = (line: number): FoundConnection => ({ line, name: `c${line}`, leadsTo: { kind: "url", url: "sqlite:x" }, password: undefined });

test("what is stopped imports nothing more", async () => {
  const stop = new AbortController();
  const [begun, told]: [number[], number[]] = [[], []];
  await importAll(
    [1, 2, 3].map(found),
    async ({ line, name }) => {
      begun.push(line);
      if (line === 2) stop.abort();
      return { kind: "saved", name };
    },
    ({ line }) => void told.push(line),
    stop.signal,
  );
  expect([begun, told]).toEqual([
    [1, 2],
    [1, 2],
  ]);
});
