import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  ConnectionSchema,
  ConnectionSpecSchema,
  EnvironmentColor,
  ParseUrlResponseSchema,
  SecretPlace,
} from "../gen/core/v1/connection_pb.ts";
import { SecretPlacesSchema } from "../gen/core/v1/credential_pb.ts";
import { Capability, FormFieldKind, FormFieldRole, PluginInfoSchema } from "../gen/plugin/v1/plugin_pb.ts";
import { type ConnectionForm, DEADLINE, emptyForm, faultsOf, formOf, isTyped, looksLikeUrl, movedFields, NAME, specOf, withPassword, withUrl } from "./connection_form.ts";

const info = create(PluginInfoSchema, {
  driverType: "postgres",
  capabilities: [Capability.READ_ONLY],
  connectionForm: [
    { name: "host", label: "Host", kind: FormFieldKind.TEXT, role: FormFieldRole.HOST },
    { name: "port", label: "Port", kind: FormFieldKind.NUMBER, role: FormFieldRole.PORT },
    { name: "user", label: "User", kind: FormFieldKind.TEXT, role: FormFieldRole.USER, required: true },
    { name: "password", label: "Password", kind: FormFieldKind.PASSWORD, role: FormFieldRole.PASSWORD, secret: true },
    { name: "database", label: "Database", kind: FormFieldKind.TEXT, role: FormFieldRole.DATABASE },
  ],
});
const places = (keyring: boolean, vault: boolean) =>
  create(SecretPlacesSchema, { keyring: { isUsable: keyring }, vault: { isUsable: vault } });
const form: ConnectionForm = { ...emptyForm(info, places(false, true)), name: " shop ", values: { host: "db", user: "ada" } };

test("a password is kept where Core would put it", () => {
  const place = (keyring: boolean, vault: boolean) => emptyForm(info, places(keyring, vault)).place;
  expect(place(true, true)).toBe(SecretPlace.KEYRING);
  expect(place(false, true)).toBe(SecretPlace.VAULT);
  expect(place(false, false)).toBe(SecretPlace.ASK);
});

test("what is saved is what was typed, without secrets and empty fields", () => {
  const spec = create(
    ConnectionSpecSchema,
    specOf({ ...form, secrets: { password: "canary" }, values: { ...form.values, port: "" }, deadline: "1.5", rowsMax: "500" }, info),
  );
  expect(spec.name).toBe("shop");
  expect(spec.parameters.map(({ name, value }) => [name, value.value])).toEqual([["host", "db"], ["user", "ada"]]);
  expect(JSON.stringify(spec, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))).not.toContain("canary");
  expect(spec.deadline?.limit.value).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
  expect(spec.rowsMax).toBe(500n);
});

test("a saved connection comes back as it was", () => {
  const typed = { ...form, name: "shop", color: EnvironmentColor.RED, readOnly: true, deadline: "none", startupSql: "SET a = 1" };
  expect(formOf(create(ConnectionSpecSchema, specOf(typed, info)))).toEqual(typed);
});

describe("faults", () => {
  const faults = (change: Partial<typeof form>, purpose: "save" | "test" = "save") =>
    Object.keys(faultsOf({ ...form, ...change }, info, purpose));
  test("name what is missing, and a test needs no name", () => {
    expect(faults({ name: " ", values: {} })).toEqual([NAME, "user"]);
    expect(faults({ name: "", values: { user: "ada" } }, "test")).toEqual([]);
  });
  test("name numbers that are none", () => {
    expect(faults({ values: { user: "ada", port: "54x" } })).toEqual(["port"]);
    expect(faults({ values: { user: "ada", port: "70000" } })).toEqual(["port"]);
    expect(faults({ deadline: "soon" })).toEqual([DEADLINE]);
    expect(faults({ deadline: "0" })).toEqual([DEADLINE]);
  });
});

test("a URL fills the form and proposes a name, and leaves what it does not say", () => {
  const answer = create(ParseUrlResponseSchema, {
    driverType: "postgres",
    parameters: [{ name: "database", value: { case: "text", value: "orders" } }],
  });
  const filled = withUrl({ ...form, name: "" }, answer, info);
  expect(filled.values).toEqual({ host: "db", user: "ada", database: "orders" });
  expect(filled.name).toBe("orders");
  expect(withUrl({ ...form, driverType: "sqlite" }, answer, info).values).toEqual({ database: "orders" });
});

test("URLs and DSNs are told from names", () => {
  for (const url of ["postgres://a@b/c", "sqlite:shop.db", "host=db dbname=shop"]) expect(looksLikeUrl(url), url).toBe(true);
  for (const text of ["shop", "postgres:", "my shop"]) expect(looksLikeUrl(text), text).toBe(false);
});

test("a change of where it leads is named", () => {
  const old = create(ConnectionSchema, { spec: create(ConnectionSpecSchema, specOf(form, info)) });
  expect(movedFields(form, old, info)).toEqual([]);
  expect(movedFields({ ...form, values: { ...form.values, host: "other", database: "x" } }, old, info)).toEqual(["Host"]);
});

describe("a password in a URL", () => {
  test("goes into its field, where the driver has one", () => {
    const info = create(PluginInfoSchema, { connectionForm: [{ name: "pw", role: FormFieldRole.PASSWORD, secret: true }] });
    const form = emptyForm(info, undefined);
    expect(withPassword(form, "s3", info).secrets).toEqual({ pw: "s3" });
    expect(withPassword(form, "s3", create(PluginInfoSchema, {})).secrets).toEqual({});
    expect(withPassword(form, undefined, info)).toBe(form);
  });
});

test("a form is typed once something is lost with it", () => {
  const begun = emptyForm(undefined, undefined);
  expect(isTyped(begun, begun)).toBe(false);
  expect(isTyped({ ...begun, driverType: "postgres" }, begun)).toBe(false);
  // What was taken back is as if it had never been there.
  expect(isTyped({ ...begun, values: { host: "" } }, begun)).toBe(false);
  expect(isTyped({ ...begun, values: { a: "1", b: "2" } }, { ...begun, values: { b: "2", a: "1" } })).toBe(false);
  for (const part of [{ name: "shop" }, { values: { host: "db" } }, { secrets: { password: "p" } }, { startupSql: "set x = 1" }]) {
    expect(isTyped({ ...begun, ...part }, begun)).toBe(true);
  }
});
