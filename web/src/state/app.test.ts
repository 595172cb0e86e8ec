import { createRouterTransport } from "@connectrpc/connect";
import { createStore } from "zustand/vanilla";
import { expect, test } from "vitest";
import { ConnectionService, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { DraftService } from "../gen/core/v1/draft_pb.ts";
import { PluginService } from "../gen/core/v1/plugin_pb.ts";
import { ResultService } from "../gen/core/v1/result_pb.ts";
import { SessionActivity, SessionKind, SessionService } from "../gen/core/v1/session_pb.ts";
import { holdsPage, makeApp, start } from "./app.ts";
import type { Link } from "./link.ts";

/** A page in which something was typed that Core has not got. `isFull`: the browser has no room for it either. */
function pageWith({ kind, isFull = false }: { readonly kind: Link["kind"]; readonly isFull?: boolean }) {
  const app = {
    tabs: { isFull: createStore(() => ({ value: isFull })), store: createStore(() => ({ tabs: [] })) },
    drafts: { lacksSome: true, holdsPage: () => true },
    link: { store: createStore(() => ({ kind })) },
  };
  return app as unknown as Parameters<typeof holdsPage>[0];
}

test("a new link is followed without a question, where what is typed is kept", () => {
  const locked = pageWith({ kind: "out" });
  expect(holdsPage(locked, true)).toBe(false);
  // Who closes the page loses it, and so does a new link where nothing could be kept.
  expect(holdsPage(locked)).toBe(true);
  expect(holdsPage(pageWith({ kind: "out", isFull: true }), true)).toBe(true);
  expect(holdsPage(pageWith({ kind: "in" }), true)).toBe(true);
});

test("a page that is loaded again has its sessions though other calls hang, and asks for no password of theirs", async () => {
  const never = () => new Promise<never>(() => undefined);
  const transport = createRouterTransport(({ service }) => {
    service(ConnectionService, { listConnections: () => ({ connections: [{ id: "asks", spec: { name: "shop", secretPlace: SecretPlace.ASK } }] }) });
    service(DraftService, { listDrafts: never, getDraft: never });
    service(PluginService, { listPlugins: never });
    service(ResultService, { listResults: never });
    service(SessionService, {
      listSessions: () => ({ sessions: [{ sessionId: "shared", connectionId: "asks", frontEndId: "page", kind: SessionKind.LEASED, activity: SessionActivity.IDLE }] }),
    });
  });
  const kept = new Map([["querybox.front-end", "page"]]);
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  const app = makeApp({ transport, enter: async () => ({ kind: "in" }), follow: () => ({ kind: "no-link" }) }, { lasting: storage, passing: storage, pageWidth: () => 1_000 });
  void start(app);
  await expect.poll(() => app.leases.has("shared"), { timeout: 30_000 }).toBe(true);
  expect(await app.sessions.place(app.tabs.open("asks"))).toEqual({ sessionId: "shared" });
  expect(app.leases.question.getState().open).toBeUndefined();
  app.events.close();
  app.link.close();
});
