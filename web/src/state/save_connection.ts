import { type Connection, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import type { PluginInfo } from "../gen/plugin/v1/plugin_pb.ts";
import type { App } from "./app.ts";
import { type ConnectionForm, specOf } from "./connection_form.ts";

export interface Saved {
  readonly saved: Connection | undefined;
  /** What people are to be told beside that it is saved. Empty: nothing. */
  readonly notice: string;
}

/** Saves a form: the connection, and the secrets that were typed where they are to be kept. */
export async function saveConnection(
  app: Pick<App, "core" | "connections" | "leases">,
  form: ConnectionForm,
  info: PluginInfo,
  old: Connection | undefined,
): Promise<Saved> {
  const isKept = form.place === SecretPlace.VAULT || form.place === SecretPlace.KEYRING;
  const typed = Object.entries(form.secrets).filter(([, text]) => text !== "");
  const secrets = isKept ? typed.map(([field, text]) => ({ field, secret: new TextEncoder().encode(text) })) : [];
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
    for (const secret of more) if (saved !== undefined) await set(saved.id, secret);
    const [asked] = form.place === SecretPlace.ASK ? typed : [];
    if (saved !== undefined && asked !== undefined) app.leases.offer(saved.id, asked[1]);
    return { saved, notice: "" };
  }
  const answer = await app.connections.update(old, spec);
  for (const secret of secrets) await set(old.id, secret);
  await app.connections.load();
  const again = answer.credentialsDropped.filter((field) => !secrets.some((secret) => secret.field === field));
  const notice = again.length === 0 ? "" : `The kept password was dropped: ${answer.credentialsDroppedFor.join(", ")} changed`;
  return { saved: app.connections.find(old.id) ?? answer.connection, notice };
}
