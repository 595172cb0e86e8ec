import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { type Connection, ConnectionSchema, ConnectionService, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { SchemaService } from "../gen/core/v1/schema_pb.ts";
import { ErrorInfoSchema } from "../gen/google/rpc/error_info_pb.ts";
import { SessionService } from "../gen/core/v1/session_pb.ts";
import { coreOver } from "../transport/core.ts";
import { Connections } from "./connections.ts";
import { ddlOf } from "./ddl.ts";
import { DriverList } from "./drivers.ts";
import { Leases } from "./leases.ts";
import { LinkKeeper } from "./link.ts";
import { relationKey, Schemas } from "./schema.ts";

function connectionTo(host: string, secretPlace: SecretPlace): Connection {
  const parameters = [{ name: "host", value: { case: "text" as const, value: host } }];
  return create(ConnectionSchema, { id: "shop", spec: { name: "shop", driverType: "postgres", parameters, secretPlace } });
}

/** A Core with one connection, whose catalog is empty. */
async function page(secretPlace: SecretPlace) {
  const gate = { isAway: false, read: async () => undefined as void, ddl: async () => undefined as void };
  let connection = connectionTo("staging", secretPlace);
  let isGone = false;
  const transport = createRouterTransport(({ service }) => {
    service(ConnectionService, { listConnections: () => ({ connections: isGone ? [] : [connection] }) });
    service(SessionService, { openSession: () => ({}), closeSession: () => ({}) });
    service(SchemaService, {
      async *getDdl() {
        await gate.ddl();
        yield { part: { case: "ddl" as const, value: { ddl: [{ sql: "create table goods ();" }] } } };
      },
      async *getSchema() {
        if (gate.isAway) throw new ConnectError("Failed to fetch", Code.Unknown);
        await gate.read();
        yield {};
      },
    });
  });
  const core = coreOver(transport);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  const list = new Connections(core, link);
  const leases = new Leases(core, link, list, new DriverList(core, link), "page");
  const schemas = new Schemas(core, link, leases);
  await list.load();
  const move = async (host: string) => {
    isGone = host === "";
    connection = connectionTo(host, secretPlace);
    await list.load();
  };
  const catalog = () => schemas.store.getState().catalogs.get("shop");
  const question = () => leases.question.getState().open?.connectionId;
  return { core, schemas, leases, gate, move, catalog, question };
}

const LEFT = { kind: "failed", problem: { message: "Not connected: click to connect" } };

test("nobody is asked for a password because Core is there again", async () => {
  const of = await page(SecretPlace.ASK);
  void of.schemas.open("shop");
  expect(of.question()).toBe("shop");
  of.leases.decline();
  await expect.poll(of.catalog, { timeout: 30_000 }).toMatchObject(LEFT);
  of.schemas.retry();
  expect(of.question()).toBeUndefined();
  expect(of.catalog()).toMatchObject(LEFT);
  // Who looks for it is, and one with a session is read by that.
  const read = of.schemas.refresh("shop");
  await of.leases.answer("secret");
  await read;
  expect(of.catalog()?.kind).toBe("ready");
});

test("a catalog that asks for no password is read again when Core is there again", async () => {
  const of = await page(SecretPlace.VAULT);
  of.gate.isAway = true;
  await of.schemas.open("shop");
  expect(of.catalog()?.kind).toBe("failed");
  of.gate.isAway = false;
  of.schemas.retry();
  await expect.poll(() => of.catalog()?.kind, { timeout: 30_000 }).toBe("ready");
});

test("nobody is asked for a password because another window changed a connection whose tables are shown", async () => {
  const of = await page(SecretPlace.ASK);
  const read = of.schemas.open("shop");
  await of.leases.answer("secret");
  await read;
  await of.move("prod");
  // The tree asks for what is open and unknown.
  expect(of.catalog()).toMatchObject(LEFT);
  expect(of.question()).toBeUndefined();
  await of.move("");
  expect(of.catalog()).toBeUndefined();
});

test("whoever wants columns that are on their way waits for them", async () => {
  const of = await page(SecretPlace.VAULT);
  let arrive: () => void = () => undefined;
  of.gate.read = () => new Promise((resolve) => (arrive = resolve));
  const first = of.schemas.openColumns("shop", "public", "goods");
  const states: (string | undefined)[] = [];
  const second = of.schemas.openColumns("shop", "public", "goods").then(() => {
    states.push(of.schemas.store.getState().columns.get(relationKey("shop", "public", "goods"))?.kind);
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  arrive();
  await Promise.all([first, second]);
  expect(states).toEqual(["ready"]);
});

test("how a table is made is read once its session is free, and a session that has ended is asked for no more", async () => {
  const of = await page(SecretPlace.ASK);
  const failure = (reason: string) => new ConnectError(reason, Code.FailedPrecondition, undefined, [{ desc: ErrorInfoSchema, value: { domain: "querybox", reason } }]);
  let tries = 0;
  of.gate.ddl = async () => {
    if (++tries < 3) throw failure("SESSION_BUSY");
  };
  const read = ddlOf(of, "shop", { schema: "public", name: "goods" });
  await of.leases.answer("secret");
  expect(await read).toMatchObject({ kind: "read", sql: "create table goods ();" });
  expect(tries).toBe(3);
  of.gate.ddl = () => Promise.reject(failure("SESSION_ENDED"));
  await expect(ddlOf(of, "shop", { schema: "public", name: "goods" })).rejects.toThrow("SESSION_ENDED");
  expect(of.leases.asks("shop")).toBe(true);
});
