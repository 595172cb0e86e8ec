import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ParseUrlResponseSchema } from "../gen/core/v1/connection_pb.ts";
import { FormFieldRole, PluginInfoSchema } from "../gen/plugin/v1/plugin_pb.ts";
import { emptyForm } from "./connection_form.ts";
import { cameInOneGo, enteredUrl, filledByUrl } from "./url_entry.ts";

test("no part of a password is sent while it is typed", () => {
  const [url, dsn] = ["postgres://ada:pa/s?w@db", "host=db password=s3cret user=ada"];
  for (const text of [url, dsn]) {
    for (let end = 1; end <= text.length; end++) {
      const entry = enteredUrl(text.slice(0, end), false);
      // Before its password begins nothing is to be hidden.
      const begin = text.search(/pa\/|s3/);
      if (end > begin) expect(entry.kind, text.slice(0, end)).toBe("waits");
      expect(entry.shown).toBe(text.slice(0, end));
    }
  }
  expect(enteredUrl(url, true)).toEqual({ kind: "ready", shown: "postgres://ada@db", password: "pa/s?w" });
  expect(enteredUrl(dsn, true)).toEqual({ kind: "ready", shown: "host=db user=ada", password: "s3cret" });
  // Where a password ends that has no host behind it, nobody knows.
  expect(enteredUrl("postgres://ada:secret", true).kind).toBe("waits");
});

test("what has no password is ready as it is typed", () => {
  for (const text of ["postgres://db", "postgres://ada@db:5432", "postgres://db:5432/x", "sqlite:shop.db", "host=db user=ada"]) {
    expect(enteredUrl(text, false), text).toEqual({ kind: "ready", shown: text, password: undefined });
  }
  expect(enteredUrl("postgres://db:5432", true).kind).toBe("ready");
});

test("what Java's programs write is taken without its first word, and no password of it is sent", () => {
  const url = "jdbc:postgresql://ada:secret@db:5433/shop";
  for (let end = "jdbc:postgresql://".length; end <= url.length; end++) expect(enteredUrl(url.slice(0, end), false)).toEqual({ kind: "waits", shown: url.slice(0, end) });
  expect(enteredUrl(url, true)).toEqual({ kind: "ready", shown: "postgresql://ada@db:5433/shop", password: "secret" });
  const asked = "jdbc:postgresql://db/shop?user=ada&password=secret";
  expect(enteredUrl(asked, true)).toEqual({ kind: "ready", shown: "postgresql://db/shop?user=ada", password: "secret" });
});

test("a URL keeps no password of the one before it", () => {
  // The first was refused: its password goes with its text.
  expect(enteredUrl("postgres://u:secret@host:99999/db", true)).toMatchObject({ password: "secret" });
  expect(enteredUrl("postgres://eve@other.example/db", true)).toMatchObject({ password: undefined });

  const info = create(PluginInfoSchema, { driverType: "postgres", connectionForm: [{ name: "password", role: FormFieldRole.PASSWORD, secret: true }] });
  const answer = create(ParseUrlResponseSchema, { driverType: "postgres", parameters: [] });
  const first = filledByUrl(emptyForm(info, undefined), answer, info, "secret", undefined);
  expect(first.password).toBe("filled");
  expect(first.form.secrets).toEqual({ password: "secret" });
  expect(filledByUrl(first.form, answer, info, undefined, "secret").form.secrets).toEqual({});
  // What was typed by hand stays.
  const typed = { ...first.form, secrets: { password: "mine" } };
  expect(filledByUrl(typed, answer, info, undefined, "secret").form.secrets).toEqual({ password: "mine" });
});

test("a driver without a field for a password is told of as such", () => {
  const info = create(PluginInfoSchema, { driverType: "sqlite" });
  const answer = create(ParseUrlResponseSchema, { driverType: "sqlite", parameters: [] });
  expect(filledByUrl(emptyForm(info, undefined), answer, info, "secret", undefined)).toMatchObject({ password: "has-no-field", form: { secrets: {} } });
});

test("what is pasted is told from what is typed", () => {
  for (const [before, after] of [["", "ab"], ["a long one", "xy"], ["ab", "ab cd"], ["axb", "aqrb"]] as const) expect(cameInOneGo(before, after), after).toBe(true);
  for (const [before, after] of [["", "a"], ["ab", "abc"], ["abc", "ab"], ["abc", "ac"], ["abc", ""], ["aa", "aaa"]] as const) expect(cameInOneGo(before, after), after).toBe(false);
});
