import { expect, test } from "vitest";
import { scriptIn } from "./run_marks.ts";

const sent = { sql: "select b from t", offset: 10 };

test("a script is found where it stands now, and nowhere once it was changed", () => {
  expect(scriptIn("select a;\nselect b from t;", sent)).toBe(sent);
  expect(scriptIn("-- why\nselect a;\nselect b from t;", sent)).toEqual({ ...sent, offset: 17 });
  expect(scriptIn("select a;\nselect bb from t;", sent)).toBeUndefined();
  expect(scriptIn("", undefined)).toBeUndefined();
  // Of two that are the same it is the one that was sent.
  expect(scriptIn("select 1; -\nselect 1;", { sql: "select 1", offset: 11 })).toEqual({ sql: "select 1", offset: 12 });
  expect(scriptIn("select 1;\nselect 1;", { sql: "select 1", offset: 12 })).toEqual({ sql: "select 1", offset: 10 });
});
