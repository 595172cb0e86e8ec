import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import { ConnectionSchema } from "../gen/core/v1/connection_pb.ts";
import { RelationSchema } from "../gen/plugin/v1/catalog_pb.ts";
import type { Problem } from "../transport/problem.ts";
import type { App } from "./app.ts";
import { leadsTo } from "./leads_to.ts";
import { openTable } from "./open_table.ts";
import { Tabs } from "./tabs.ts";
import { Toasts } from "./toasts.ts";

const connection = create(ConnectionSchema, { id: "c", spec: { name: "c", driverType: "postgres" } });

function page(answer: Problem | undefined) {
  const run = vi.fn(async () => answer);
  const app = {
    connections: { find: () => connection },
    drivers: { find: () => undefined },
    schemas: { store: createStore(() => ({ catalogs: new Map() })) },
    toggled: createStore(() => new Set()),
    shown: createStore(() => ({ key: undefined })),
    tabs: new Tabs({ getItem: () => null, setItem: () => undefined }, () => "tab"),
    toasts: new Toasts(),
    runs: { run },
  } as unknown as App;
  openTable(app, "c", create(RelationSchema, { schema: "s", name: "t" }));
  return { app, run };
}

test("a table is opened in a tab that knows where it ran", () => {
  const { app, run } = page(undefined);
  expect(app.tabs.active).toMatchObject({ connectionId: "c", title: "t" });
  const spec = connection.spec ?? expect.fail("it has one");
  expect(run).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ connectionId: "c", place: leadsTo(spec) }), expect.anything());
});

test("why nothing is run for a table that is opened is said", async () => {
  const { app } = page({ message: "Nothing was run", reason: "", advice: "The connection was changed meanwhile." });
  await vi.waitFor(() => expect(app.toasts.store.getState()).toMatchObject([{ tone: "danger", text: "Nothing was run", detail: "The connection was changed meanwhile." }]), { timeout: 30_000 });
});
