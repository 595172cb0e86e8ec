import { expect, test } from "vitest";
import { makeUuidV7 } from "./uuid.ts";

test("an id has its time, version and variant, and no two are the same", () => {
  const now = Date.UTC(2025, 10, 20, 14, 7, 33);
  const id = makeUuidV7(now);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(now);
  expect(makeUuidV7(now)).not.toBe(id);
});
