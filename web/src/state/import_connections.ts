import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ConnectionSpecSchema, SecretPlace } from "../gen/core/v1/connection_pb.ts";
import type { SecretPlaces } from "../gen/core/v1/credential_pb.ts";
import type { Parameter } from "../gen/plugin/v1/plugin_pb.ts";
import { problemOf } from "../transport/problem.ts";
import type { App } from "./app.ts";
import type { FoundConnection } from "./import_text.ts";
import { valueOf } from "./load.ts";

/** What became of a connection that was found. */
export type Imported =
  | { readonly kind: "saved"; readonly name: string }
  /** One that leads there is kept already. */
  | { readonly kind: "there"; readonly name: string }
  | { readonly kind: "failed"; readonly why: string };

/** Where passwords that are imported are kept: where Core would put them. `undefined`: nowhere, they are asked for. */
export function importPlace(places: SecretPlaces | undefined): SecretPlace.KEYRING | SecretPlace.VAULT | undefined {
  if (places?.keyring?.isUsable === true) return SecretPlace.KEYRING;
  return places?.vault?.isUsable === true ? SecretPlace.VAULT : undefined;
}

/** Saves a connection that was found, unless one leads there already. */
export async function importConnection(app: Pick<App, "core" | "connections" | "drivers">, found: FoundConnection, folder: string): Promise<Imported> {
  try {
    const { driverType, pairs } = await placeOf(app, found);
    const info = app.drivers.find(driverType);
    if (info === undefined) return { kind: "failed", why: `The driver for ${driverType} is not installed` };
    const list = valueOf(app.connections.store.getState()) ?? [];
    const there = list.find(({ spec }) => spec !== undefined && spec.driverType === driverType && isSame(pairs, textsOf(spec.parameters)));
    if (there !== undefined) return { kind: "there", name: there.spec?.name ?? "" };
    const name = freeName(found.name, list.map(({ spec }) => spec?.name ?? ""));
    const hasSecrets = info.connectionForm.some(({ secret }) => secret);
    const place = importPlace(valueOf(app.drivers.store.getState())?.places);
    const spec: MessageInitShape<typeof ConnectionSpecSchema> = {
      name,
      driverType,
      folder,
      parameters: pairs.map(([field, value]) => ({ name: field, value: { case: "text" as const, value } })),
      secretPlace: hasSecrets ? SecretPlace.ASK : SecretPlace.UNSPECIFIED,
    };
    const keeps = found.password !== undefined && hasSecrets && place !== undefined;
    // With it in one go: both are saved, or neither is.
    await app.connections.create(spec, keeps ? { secret: new TextEncoder().encode(found.password), place } : undefined);
    return { kind: "saved", name };
  } catch (error) {
    return { kind: "failed", why: problemOf(error).message };
  }
}

type Pairs = readonly (readonly [string, string])[];

async function placeOf({ core }: Pick<App, "core">, { leadsTo }: FoundConnection): Promise<{ readonly driverType: string; readonly pairs: Pairs }> {
  if (leadsTo.kind === "values") return { driverType: leadsTo.driverType, pairs: leadsTo.values };
  const { driverType, parameters } = await core.connections.parseUrl({ url: leadsTo.url });
  return { driverType, pairs: textsOf(parameters) };
}

function textsOf(parameters: readonly Parameter[]): Pairs {
  return parameters.flatMap(({ name, value }) => (value.case === "text" ? [[name, value.value] as const] : []));
}

/** The order of parameters says nothing. */
function isSame(a: Pairs, b: Pairs): boolean {
  return a.length === b.length && a.every(([name, value]) => b.some((other) => other[0] === name && other[1] === value));
}

/** The name, or that name with a number behind it. */
export function freeName(wanted: string, taken: readonly string[]): string {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  const plain = Array.from(wanted.replaceAll(/\p{Cc}/gu, "")).slice(0, 90).join("").trim() || "connection";
  for (let number = 1; ; number++) {
    const name = number === 1 ? plain : `${plain} ${number}`;
    if (!used.has(name.toLowerCase())) return name;
  }
}
