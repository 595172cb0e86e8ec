import { FormFieldRole, type PluginInfo } from "../gen/plugin/v1/plugin_pb.ts";
import type { ParseUrlResponse } from "../gen/core/v1/connection_pb.ts";
import { type ConnectionForm, withPassword, withUrl } from "./connection_form.ts";
import { withoutPassword } from "./url_password.ts";

/** What became of a URL or DSN that is being entered. */
export type UrlEntry =
  /** It is shown as it is, and sent to nobody yet: what is typed may be a part of a password. */
  | { readonly kind: "waits"; readonly shown: string }
  /** Core is asked what it says. The password, if there was one, is not a part of it, and belongs to it alone. */
  | { readonly kind: "ready"; readonly shown: string; readonly password: string | undefined };

/** A name and a colon, and behind them no sign that says whether a password or a port follows. */
const OPEN_END = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s:[]*:(?!\d{1,5}[,/?#])[^@]*$/i;
const OPEN_PORT = /:\d{1,5}$/;

/** What Java's programs write before a URL. */
const JDBC = /^jdbc:(?=[a-z][a-z0-9+.-]*:\/\/)/i;

/** Reads what stands in the field. `isWhole`: it was pasted, or whoever typed it has left it. */
export function enteredUrl(entered: string, isWhole: boolean): UrlEntry {
  const text = entered.replace(JDBC, "");
  if (text !== entered && !isWhole) return { kind: "waits", shown: entered };
  const { url, password } = withoutPassword(text);
  if (password === undefined) {
    const isOpen = OPEN_END.test(text) && !(isWhole && OPEN_PORT.test(text));
    return isOpen ? { kind: "waits", shown: text } : { kind: "ready", shown: text, password: undefined };
  }
  if (!isWhole) return { kind: "waits", shown: text };
  return { kind: "ready", shown: url, password: password === "" ? undefined : password };
}

/** Whether more than a key press lies between two texts: it was pasted or dropped, and is whole. */
export function cameInOneGo(before: string, after: string): boolean {
  let [begin, end] = [0, 0];
  const least = Math.min(before.length, after.length);
  while (begin < least && before[begin] === after[begin]) begin += 1;
  while (end < least - begin && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return after.length - begin - end > 1;
}

export interface FilledForm {
  readonly form: ConnectionForm;
  /** What became of the URL's password. */
  readonly password: "none" | "filled" | "has-no-field";
}

/** Fills a form with what a URL says. A password that another URL brought does not stay: it belongs to the server of that one. */
export function filledByUrl(old: ConnectionForm, answer: ParseUrlResponse, info: PluginInfo | undefined, password: string | undefined, before: string | undefined): FilledForm {
  const field = info?.connectionForm.find(({ role, secret }) => secret && role === FormFieldRole.PASSWORD)?.name ?? "";
  const { [field]: kept, ...others } = old.secrets;
  const isOfBefore = before !== undefined && kept === before;
  const plain = withUrl(isOfBefore ? { ...old, secrets: others } : old, answer, info);
  const form = withPassword(plain, password, info);
  if (password === undefined) return { form, password: "none" };
  return { form, password: form === plain ? "has-no-field" : "filled" };
}
