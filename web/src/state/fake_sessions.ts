import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { type Connection, ConnectionSchema, ConnectionService, type EnvironmentColor, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { SessionActivity, SessionKind, SessionService } from "../gen/core/v1/session_pb.ts";
import { coreOver } from "../transport/core.ts";
import { Connections } from "./connections.ts";
import { DriverList } from "./drivers.ts";
import { Leases } from "./leases.ts";
import { LinkKeeper } from "./link.ts";
import { TabSessions } from "./tab_sessions.ts";
import { type Tab, Tabs } from "./tabs.ts";

export function asking(id: string, host: string, more: { readonly name?: string; readonly color?: EnvironmentColor; readonly secretPlace?: SecretPlace } = {}): Connection {
  const parameters = [{ name: "host", value: { case: "text" as const, value: host } }];
  return create(ConnectionSchema, { id, spec: { name: id, driverType: "postgres", parameters, secretPlace: SecretPlace.ASK, ...more } });
}

/** One whose password is kept. */
export function keeping(id: string, host: string): Connection {
  return asking(id, host, { secretPlace: SecretPlace.VAULT });
}

/** A page before a Core with connections. */
export async function page(...connections: readonly Connection[]) {
  const kept = new Map(connections.map((connection) => [connection.id, connection]));
  const opened: { readonly connectionId: string; readonly host: string; readonly password: string; readonly sessionId: string }[] = [];
  const ended: string[] = [];
  const executed: string[] = [];
  const gate = { open: async () => undefined as void, execute: async () => undefined as void, away: false, rejection: "" };
  const transport = createRouterTransport(({ service }) => {
    service(ConnectionService, { listConnections: () => ({ connections: [...kept.values()] }) });
    service(SessionService, {
      listSessions: () => ({
        sessions: opened.map(({ sessionId, connectionId }) => ({ sessionId, connectionId, frontEndId: "page", kind: SessionKind.LEASED, activity: SessionActivity.IDLE })).filter(({ sessionId }) => !ended.includes(sessionId)),
      }),
      openSession: async ({ sessionId, target, credential }) => {
        const key = target.case === "connection" ? target.value.key : undefined;
        const connectionId = key?.case === "id" ? key.value : "";
        const value = kept.get(connectionId)?.spec?.parameters[0]?.value;
        opened.push({ connectionId, host: value?.case === "text" ? value.value : "", password: new TextDecoder().decode(credential?.fields[0]?.value), sessionId });
        await gate.open();
        return gate.rejection === "" ? {} : { outcome: { case: "rejection" as const, value: { message: gate.rejection } } };
      },
      async *executeInSession({ sessionId, sql }) {
        executed.push(`${sql} ${sessionId}`);
        await gate.execute();
        yield {};
      },
      closeSession: ({ sessionId }) => {
        if (gate.away) throw new ConnectError("Failed to fetch", Code.Unknown);
        ended.push(sessionId);
        return {};
      },
    });
  });
  const core = coreOver(transport);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  const list = new Connections(core, link);
  const leases = new Leases(core, link, list, new DriverList(core, link), "page");
  let made = 0;
  const tabs = new Tabs({ getItem: () => null, setItem: () => undefined }, () => `tab ${++made}`);
  const sessions = new TabSessions(core, link, leases, tabs, "page");
  const save = async (connection: Connection) => {
    kept.set(connection.id, connection);
    await list.load();
  };
  await list.load();
  return { core, link, leases, sessions, tabs, opened, ended, executed, save, gate, kept, list };
}

/** The session of a place that was given. */
export async function idOf(placed: Promise<object | undefined>): Promise<string> {
  const id: unknown = Reflect.get((await placed) ?? {}, "sessionId");
  return typeof id === "string" ? id : "";
}

/** Two tabs of a connection that asks for its password, and the session that they share: the first one has run there. */
export async function sharing(of: Awaited<ReturnType<typeof page>>, connectionId: string): Promise<{ readonly first: Tab; readonly second: Tab; readonly shared: string }> {
  const [first, second] = [of.tabs.open(connectionId), of.tabs.open(connectionId)];
  const placed = of.sessions.place(first);
  await of.leases.answer("secret");
  return { first, second, shared: await idOf(placed) };
}

/** Something that is awaited until it is let go. */
export function held(): { readonly wait: () => Promise<void>; readonly go: () => void } {
  let go: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (go = resolve));
  return { wait: () => over, go };
}
