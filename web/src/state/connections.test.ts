import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { type Connection, ConnectionSchema, ConnectionService } from "../gen/core/v1/connection_pb.ts";
import { KeptChangedSchema, KeptKind } from "../gen/core/v1/event_pb.ts";
import { coreOver } from "../transport/core.ts";
import { Connections } from "./connections.ts";
import { LinkKeeper } from "./link.ts";
import { News } from "./news.ts";

beforeEach(() => void vi.useFakeTimers());

/** A Core with connections of these names, and two windows that hear of each that is made. */
function opened(...names: string[]) {
  const connections: Connection[] = names.map((name) => create(ConnectionSchema, { id: name, spec: { name } }));
  const gate = { list: async () => undefined as void };
  const counts = { looks: 0 };
  const transport = createRouterTransport(({ service }) => {
    service(ConnectionService, {
      listConnections: async () => {
        counts.looks += 1;
        const list = connections.toSorted((a, b) => ((a.spec?.name ?? "") < (b.spec?.name ?? "") ? -1 : 1));
        await gate.list();
        return { connections: list };
      },
      createConnection: ({ spec }) => {
        const connection = create(ConnectionSchema, { id: spec?.name ?? "", ...(spec === undefined ? {} : { spec }) });
        connections.push(connection);
        for (const window of news) window.hear(create(KeptChangedSchema, { kind: KeptKind.CONNECTION, id: connection.id }), "settings");
        return { connection };
      },
    });
  });
  const news = [new News(), new News()] as const;
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  const [first, second] = [new Connections(coreOver(transport), link, news[0]), new Connections(coreOver(transport), link, news[1])];
  return { first, second, gate, counts };
}

function namesIn({ store }: Connections): string[] {
  const state = store.getState();
  return state.kind === "ready" ? state.value.map(({ spec }) => spec?.name ?? "") : [];
}

test("an import of many is no look at all connections for each of them", async () => {
  const { first, second, counts } = opened("b", "y");
  await Promise.all([first.load(), second.load()]);
  counts.looks = 0;
  const made = Array.from({ length: 100 }, (_, index) => `c${String(index).padStart(3, "0")}`);
  for (const name of made) await first.create({ name }, undefined);
  // They are there at once, in their place.
  expect(namesIn(first)).toEqual(["b", ...made, "y"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(namesIn(second)).toEqual(["b", ...made, "y"]);
  expect(counts.looks).toBeLessThan(10);
});

test("a look that began before a connection was made takes it away from nobody", async () => {
  const { first, gate } = opened("b");
  await first.load();
  let arrive: () => void = () => undefined;
  gate.list = () => new Promise((resolve) => (arrive = resolve));
  const look = first.load();
  await vi.advanceTimersByTimeAsync(1);
  await first.create({ name: "a" }, undefined);
  gate.list = async () => undefined;
  arrive();
  await look;
  expect(namesIn(first)).toEqual(["a", "b"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(namesIn(first)).toEqual(["a", "b"]);
});
