import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { type Connection, ConnectionSchema, ConnectionService, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import { CredentialService } from "../gen/core/v1/credential_pb.ts";
import { FormFieldRole, PluginInfoSchema } from "../gen/plugin/v1/plugin_pb.ts";
import { coreOver } from "../transport/core.ts";
import { emptyForm } from "./connection_form.ts";
import { Connections } from "./connections.ts";
import { DriverList } from "./drivers.ts";
import { Leases } from "./leases.ts";
import { LinkKeeper } from "./link.ts";
import { saveConnection } from "./save_connection.ts";

const fields = ["password", "passphrase"].map((name, at) => ({ name, role: at === 0 ? FormFieldRole.PASSWORD : FormFieldRole.UNSPECIFIED, secret: true }));
const info = create(PluginInfoSchema, { driverType: "postgres", connectionForm: fields });

/** A Core that refuses secrets for as long as it is told to. */
function page() {
  const kept: Connection[] = [];
  const gate = { refuses: true };
  const secrets: string[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(ConnectionService, {
      listConnections: () => ({ connections: kept }),
      createConnection: ({ spec }) => {
        if (kept.length > 0) throw new ConnectError("the name is taken", Code.AlreadyExists);
        kept.push(create(ConnectionSchema, { id: "c", revision: 1n, ...(spec === undefined ? {} : { spec }) }));
        return { connection: kept[0] };
      },
      updateConnection: ({ revision, spec }) => {
        if (kept[0]?.revision !== revision) throw new ConnectError("it was changed", Code.Aborted);
        kept[0] = create(ConnectionSchema, { id: "c", revision: revision + 1n, ...(spec === undefined ? {} : { spec }) });
        return { connection: kept[0] };
      },
    });
    service(CredentialService, {
      setCredential: ({ field }) => {
        if (gate.refuses) throw new ConnectError("the keyring is locked", Code.FailedPrecondition);
        secrets.push(field);
        return {};
      },
    });
  });
  const core = coreOver(transport);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  const connections = new Connections(core, link);
  const app = { core, connections, leases: new Leases(core, link, connections, new DriverList(core, link), "page") };
  return { app, gate, kept, secrets };
}

test("a form whose secret was refused behind its connection is saved again over that one", async () => {
  const { app, gate, kept, secrets } = page();
  await app.connections.load();
  const form = { ...emptyForm(info, undefined), name: "shop", place: SecretPlace.VAULT, secrets: { password: "p", passphrase: "q" } };
  let connection: Connection | undefined;
  const save = () => saveConnection(app, form, info, connection, (now) => (connection = now));
  await expect(save()).rejects.toThrow("the keyring is locked");
  expect([kept.length, connection?.revision]).toEqual([1, 1n]);
  await expect(save()).rejects.toThrow("the keyring is locked");
  gate.refuses = false;
  await expect(save()).resolves.toMatchObject({ saved: { id: "c" } });
  expect([kept.length, secrets]).toEqual([1, ["password", "passphrase"]]);
});
