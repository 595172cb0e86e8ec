import { create } from "@bufbuild/protobuf";
import { type Connection, ConnectionSpecSchema, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import type { PluginInfo } from "../gen/plugin/v1/plugin_pb.ts";
import type { App } from "./app.ts";
import { tabsInTransaction } from "./close_tabs.ts";
import { type ConnectionForm, specOf } from "./connection_form.ts";
import { leadsTo } from "./leads_to.ts";
import type { Tab } from "./tabs.ts";

export interface Saved {
  readonly saved: Connection | undefined;
  /** What people are to be told beside that it is saved. Empty: nothing. */
  readonly notice: string;
}

/** The tabs whose transactions end when a form is saved: their sessions are of the connection as it was. */
export function endedBySaving(app: Pick<App, "sessions" | "runs" | "tabs">, form: ConnectionForm, info: PluginInfo, old: Connection | undefined): readonly Tab[] {
  return old !== undefined && leadsElsewhere(form, info, old) ? tabsInTransaction(app, old.id) : [];
}

function leadsElsewhere(form: ConnectionForm, info: PluginInfo, { spec }: Connection): boolean {
  return spec === undefined || leadsTo(create(ConnectionSpecSchema, specOf(form, info, spec))) !== leadsTo(spec);
}

/**
 * Saves a form: the connection, and the secrets that were typed where they are to be kept. `onKept` hears of the connection once
 * it is there: where a secret is refused behind it, the form is saved again over that one.
 */
export async function saveConnection(
  app: Pick<App, "core" | "connections" | "leases">,
  form: ConnectionForm,
  info: PluginInfo,
  old: Connection | undefined,
  onKept: (connection: Connection) => void,
): Promise<Saved> {
  const isKept = form.place === SecretPlace.VAULT || form.place === SecretPlace.KEYRING;
  const typed = Object.entries(form.secrets).filter(([, text]) => text !== "");
  const secrets = isKept ? typed.map(([field, text]) => ({ field, secret: new TextEncoder().encode(text) })) : [];
  const [asked] = form.place === SecretPlace.ASK ? typed : [];
  const spec = specOf(form, info, old?.spec);
  const set = (id: string, { field, secret }: (typeof secrets)[number]) =>
    app.core.credentials.setCredential({
      connection: { key: { case: "id", value: id } },
      field,
      secret,
      place: form.place,
    });

  if (old === undefined) {
    // The first goes with the connection, in one go: both are saved, or neither is.
    const [first, ...more] = secrets;
    const saved = await app.connections.create(spec, first);
    if (saved !== undefined) onKept(saved);
    for (const secret of more) if (saved !== undefined) await set(saved.id, secret);
    if (saved !== undefined && asked !== undefined) app.leases.offer(saved.id, asked[1]);
    return { saved, notice: "" };
  }
  const answer = await app.leases.changed(old.id, () => app.connections.update(old, spec));
  if (answer.connection !== undefined) onKept(answer.connection);
  for (const secret of secrets) await set(old.id, secret);
  await app.connections.load();
  // A session that serves on has its password.
  if (asked !== undefined && leadsElsewhere(form, info, old)) app.leases.offer(old.id, asked[1]);
  const again = answer.credentialsDropped.filter((field) => !secrets.some((secret) => secret.field === field));
  const notice = again.length === 0 ? "" : `The kept password was dropped: ${answer.credentialsDroppedFor.join(", ")} changed`;
  return { saved: app.connections.find(old.id) ?? answer.connection, notice };
}
