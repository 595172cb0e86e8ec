import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ConnectionSchema } from "../gen/core/v1/connection_pb.ts";
import type { App } from "./app.ts";
import { pressedOn, whyNotThere } from "./pressed_on.ts";
import { Tabs } from "./tabs.ts";

function page() {
  const tabs = new Tabs({ getItem: () => null, setItem: () => undefined }, () => "tab");
  const connections = new Map(["a", "b"].map((id) => [id, create(ConnectionSchema, { id, spec: { name: id, driverType: "postgres" } })]));
  const app = { tabs, connections: { find: (id: string) => connections.get(id) } } as unknown as Pick<App, "tabs" | "connections">;
  const tab = tabs.open("a");
  const on = pressedOn(app, tab.id);
  if (on === undefined) throw new Error("it is there");
  const edit = (spec: { readonly startupSql?: string; readonly name?: string }) =>
    connections.set("a", create(ConnectionSchema, { id: "a", spec: { name: "a", driverType: "postgres", ...spec } }));
  return { tabs, tab, edit, connections, why: () => whyNotThere(app, tab.id, on), now: () => pressedOn(app, tab.id) };
}

test("what was asked for is run as long as it would run there", () => {
  const of = page();
  expect(of.why()).toBeUndefined();
  of.edit({ name: "another name" });
  expect(of.why()).toBeUndefined();
});

test("what was asked for is not run elsewhere, and each reason is told as what it is", () => {
  const moved = page();
  moved.tabs.change(moved.tab.id, { connectionId: "b" });
  expect(moved.why()).toMatch(/^The tab was put on another connection/);
  const edited = page();
  edited.edit({ startupSql: "set role other" });
  expect(edited.why()).toMatch(/^The connection was changed/);
  const closed = page();
  closed.tabs.close(closed.tab.id);
  expect(closed.why()).toBe("Its tab was closed meanwhile.");
  const gone = page();
  gone.connections.delete("a");
  expect(gone.why()).toMatch(/^The connection of this tab is gone/);
  expect(gone.now()).toBeUndefined();
});
