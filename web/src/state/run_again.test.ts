import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ConnectionSpecSchema } from "../gen/core/v1/connection_pb.ts";
import { ResultSchema } from "../gen/core/v1/result_pb.ts";
import type { App } from "./app.ts";
import { leadsTo } from "./leads_to.ts";
import { ranIn, whyNotAgain } from "./run_again.ts";

const specs = new Map([["staging", "Staging"], ["prod", "Production"]].map(([id, name]) => [id, create(ConnectionSpecSchema, { name: name ?? "" })]));
const app = { connections: { find: (id: string) => (specs.has(id) ? { spec: specs.get(id) } : undefined) } } as unknown as Pick<App, "connections">;
const result = (sql: string) => create(ResultSchema, { sql, connectionId: "staging" });

test("what this page sent is known, with its values, and after a reload what Core tells of it", () => {
  const sent = { sql: "select 1", offset: 4, bindings: [{ name: "a", value: "1" }], connectionId: "prod" };
  expect(ranIn(sent, result("select 1"), "")).toMatchObject(sent);
  // A table that was opened has no more to say than its result.
  expect(ranIn({ sql: "select 1", offset: 0 }, result("select 1"), "")?.connectionId).toBe("staging");
  expect(ranIn(undefined, result("select 2"), "-- \nselect 2")).toEqual({ sql: "select 2", offset: 4, connectionId: "staging" });
  expect(ranIn(undefined, result("x".repeat(4_096)), "")).toBeUndefined();
  expect(ranIn(undefined, undefined, "")).toBeUndefined();
});

test("what ran on one connection is not run again on another", () => {
  const ran = ranIn(undefined, result("delete from t"), "");
  expect(whyNotAgain(app, ran, "staging")).toBeUndefined();
  expect(whyNotAgain(app, ran, "prod")).toBe("This ran on Staging; the tab is on Production now. Put the tab back on Staging, or run the statement at the cursor.");
  expect(whyNotAgain(app, { sql: "delete from t", offset: 0, connectionId: "gone" }, "prod")).toMatch(/^This ran on a connection that is gone\./);
  expect(whyNotAgain(app, undefined, "prod")).toMatch(/not known any more/);
});

test("what ran is not run again where its connection was changed to lead elsewhere", () => {
  const spec = create(ConnectionSpecSchema, { name: "Staging", driverType: "postgres" });
  specs.set("staging", spec);
  const ran = ranIn({ sql: "delete from t", offset: 0, connectionId: "staging", place: leadsTo(spec) }, undefined, "");
  spec.name = "Another name";
  expect(whyNotAgain(app, ran, "staging")).toBeUndefined();
  spec.startupSql = "set role other";
  expect(whyNotAgain(app, ran, "staging")).toBe("The connection was changed since this ran. Run the statement at the cursor.");
});
