import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Connection,
  type ConnectionSpec,
  type ConnectionSpecSchema,
  EnvironmentColor,
  type ParseUrlResponse,
  SecretPlace,
} from "../gen/core/v1/connection_pb.ts";
import type { SecretPlaces } from "../gen/core/v1/credential_pb.ts";
import { Capability, type FormField, FormFieldKind, FormFieldRole, type PluginInfo } from "../gen/plugin/v1/plugin_pb.ts";

/** What somebody is typing about a connection. */
export interface ConnectionForm {
  readonly driverType: string;
  readonly name: string;
  readonly folder: string;
  readonly color: EnvironmentColor;
  /** By field. A field that is not here is left to the driver. */
  readonly values: Readonly<Record<string, string>>;
  /** By secret field. Never of a stored one: those are not told. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly place: SecretPlace;
  readonly readOnly: boolean;
  /** Seconds, `none`, or nothing for Core's default. */
  readonly deadline: string;
  /** A number, or nothing for no limit. */
  readonly rowsMax: string;
  readonly startupSql: string;
  readonly defaultSchema: string;
}

/** A field that cannot stay as it is: what is wrong, by the field's name. */
export type Faults = Readonly<Record<string, string>>;

export const NAME = " name";
export const DEADLINE = " deadline";
export const ROWS_MAX = " rows_max";

/** The parts of a form that are not parameters begin with a space, as no parameter does. */
export function emptyForm(info: PluginInfo | undefined, places: SecretPlaces | undefined): ConnectionForm {
  return {
    driverType: info?.driverType ?? "",
    name: "",
    folder: "",
    color: EnvironmentColor.UNSPECIFIED,
    values: {},
    secrets: {},
    place: firstPlace(places),
    readOnly: false,
    deadline: "",
    rowsMax: "",
    startupSql: "",
    defaultSchema: "",
  };
}

/** Where a password is kept unless somebody says otherwise: where Core would put it. */
function firstPlace(places: SecretPlaces | undefined): SecretPlace {
  if (places?.keyring?.isUsable === true) return SecretPlace.KEYRING;
  return places?.vault?.isUsable === true ? SecretPlace.VAULT : SecretPlace.ASK;
}

/** What is saved of a connection, to be changed. */
export function formOf(spec: ConnectionSpec): ConnectionForm {
  const { deadline } = spec;
  const after = deadline?.limit.case === "after" ? deadline.limit.value : undefined;
  const seconds = after === undefined ? "" : String(Number(after.seconds) + after.nanos / 1e9);
  return {
    driverType: spec.driverType,
    name: spec.name,
    folder: spec.folder,
    color: spec.color,
    values: Object.fromEntries(
      spec.parameters.flatMap(({ name, value }) => (value.case === "text" ? [[name, value.value]] : [])),
    ),
    secrets: {},
    place: spec.secretPlace,
    readOnly: spec.readOnly,
    deadline: deadline?.limit.case === "none" ? "none" : seconds,
    rowsMax: spec.rowsMax === undefined ? "" : String(spec.rowsMax),
    startupSql: spec.startupSql,
    defaultSchema: spec.defaultSchema,
  };
}

/** What is to be saved. `old`: what was, of which nothing is lost that the form does not show. */
export function specOf(
  form: ConnectionForm,
  info: PluginInfo,
  old?: ConnectionSpec,
): MessageInitShape<typeof ConnectionSpecSchema> {
  const hasSecrets = info.connectionForm.some((field) => field.secret);
  const parameters = info.connectionForm.flatMap((field) => {
    const text = form.values[field.name] ?? "";
    return field.secret || text === "" ? [] : [{ name: field.name, value: { case: "text" as const, value: text } }];
  });
  const contents = (old?.parameters ?? []).filter(
    ({ name, value }) => value.case === "content" && form.values[name] === undefined,
  );
  const deadline = deadlineOf(form.deadline);
  return {
    name: form.name.trim(),
    driverType: form.driverType,
    parameters: [...parameters, ...contents],
    folder: form.folder.trim(),
    color: form.color,
    readOnly: form.readOnly && canBeReadOnly(info),
    ...(deadline === undefined ? {} : { deadline }),
    ...(form.rowsMax === "" ? {} : { rowsMax: BigInt(form.rowsMax) }),
    ...(old?.bytesMax === undefined ? {} : { bytesMax: old.bytesMax }),
    startupSql: form.startupSql,
    defaultSchema: form.defaultSchema.trim(),
    secretPlace: hasSecrets ? form.place : SecretPlace.UNSPECIFIED,
    ...(old === undefined ? {} : { secretScope: old.secretScope }),
  };
}

function deadlineOf(text: string) {
  if (text === "") return undefined;
  if (text === "none") return { limit: { case: "none" as const, value: {} } };
  const nanos = Math.round(Number(text) * 1e9);
  const after = { seconds: BigInt(Math.floor(nanos / 1e9)), nanos: nanos % 1e9 };
  return { limit: { case: "after" as const, value: after } };
}

/** What keeps the form from being saved or tested. */
export function faultsOf(form: ConnectionForm, info: PluginInfo, purpose: "save" | "test"): Faults {
  const faults: Record<string, string> = {};
  if (purpose === "save" && form.name.trim() === "") faults[NAME] = "Give it a name";
  for (const field of info.connectionForm) {
    const text = form.values[field.name] ?? "";
    if (field.required && !field.secret && text.trim() === "") faults[field.name] = `${field.label} is needed`;
    if (field.kind === FormFieldKind.NUMBER && text !== "" && !/^\d+$/.test(text)) faults[field.name] = "A whole number";
    if (field.role === FormFieldRole.PORT && Number(text) > 65_535) faults[field.name] = "A port is at most 65535";
  }
  if (!/^(none|\d+(\.\d+)?)?$/.test(form.deadline) || Number(form.deadline) === 0 && form.deadline !== "") {
    faults[DEADLINE] = "Seconds, or none";
  }
  if (!/^\d*$/.test(form.rowsMax)) faults[ROWS_MAX] = "A whole number";
  return faults;
}

/** The form with what a URL says of the connection. What the URL does not say stays. */
export function withUrl(form: ConnectionForm, answer: ParseUrlResponse, info: PluginInfo | undefined): ConnectionForm {
  const said = Object.fromEntries(
    answer.parameters.flatMap(({ name, value }) => (value.case === "text" ? [[name, value.value]] : [])),
  );
  const isSame = answer.driverType === form.driverType;
  const values = isSame ? { ...form.values, ...said } : said;
  const name = form.name === "" ? proposedName(values, info) : form.name;
  return { ...form, driverType: answer.driverType, values, secrets: isSame ? form.secrets : {}, name };
}

/** The database's name, or its file's, or its host's. */
function proposedName(values: Readonly<Record<string, string>>, info: PluginInfo | undefined): string {
  const valueOf = (role: FormFieldRole) =>
    values[info?.connectionForm.find((field) => field.role === role)?.name ?? ""] ?? "";
  const file = valueOf(FormFieldRole.FILE).split(/[/\\]/).at(-1) ?? "";
  return valueOf(FormFieldRole.DATABASE) || file.replace(/\.[a-z0-9]+$/i, "") || valueOf(FormFieldRole.HOST);
}

/** The form with a password in its field. A driver without such a field has none. */
export function withPassword(form: ConnectionForm, password: string | undefined, info: PluginInfo | undefined): ConnectionForm {
  const field = info?.connectionForm.find(({ role, secret }) => secret && role === FormFieldRole.PASSWORD);
  if (password === undefined || password === "" || field === undefined) return form;
  return { ...form, secrets: { ...form.secrets, [field.name]: password } };
}

/** Whether a text looks like a URL or a DSN, and so is worth asking Core. */
export function looksLikeUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\S/i.test(text) || /(^|\s)(host|dbname|service|user)\s*=\s*\S/i.test(text);
}

/** Fields in the order of the form: what leads to the database, and then how. */
export function partsOf(info: PluginInfo): { readonly where: readonly FormField[]; readonly how: readonly FormField[] } {
  const isHow = ({ role }: FormField) =>
    role === FormFieldRole.OPTION || role === FormFieldRole.TLS || role === FormFieldRole.UNSPECIFIED;
  return {
    where: info.connectionForm.filter((field) => !isHow(field)),
    how: info.connectionForm.filter(isHow),
  };
}

export function canBeReadOnly(info: PluginInfo): boolean {
  return info.capabilities.includes(Capability.READ_ONLY);
}

/** Whether a form has anything that people would have to type again. A driver alone is chosen anew with a click. */
export function isTyped(form: ConnectionForm, begun: ConnectionForm): boolean {
  const { driverType: _, ...typed } = form;
  const { driverType: __, ...before } = begun;
  const textOf = ({ values, secrets, ...rest }: typeof typed) => JSON.stringify([rest, filled(values), filled(secrets)]);
  return textOf(typed) !== textOf(before);
}

/** Fields that are not empty, in an order of their own. */
function filled(fields: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(fields)
    .filter(([, text]) => text !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The fields that lead elsewhere than before, so that Core forgets the password: it has to be typed again. */
export function movedFields(form: ConnectionForm, old: Connection, info: PluginInfo): readonly string[] {
  const before = old.spec === undefined ? {} : formOf(old.spec).values;
  const leading = [FormFieldRole.HOST, FormFieldRole.PORT, FormFieldRole.USER, FormFieldRole.FILE, FormFieldRole.TLS];
  return info.connectionForm
    .filter(({ role, name }) => leading.includes(role) && (form.values[name] ?? "") !== (before[name] ?? ""))
    .map(({ label }) => label);
}
