import { withoutPassword } from "./url_password.ts";

/** A connection that a text tells of. */
export interface FoundConnection {
  /** Counted from one. */
  readonly line: number;
  readonly name: string;
  readonly leadsTo: LeadsTo;
  readonly password: string | undefined;
}

export type LeadsTo =
  /** A URL without its password. */
  | { readonly kind: "url"; readonly url: string }
  /** Values of the driver's form, by its fields. */
  | { readonly kind: "values"; readonly driverType: string; readonly values: readonly (readonly [string, string])[] };

/** A line that tells of no connection that can be imported. */
export interface SkippedLine {
  readonly line: number;
  readonly why: string;
}

export interface ImportList {
  readonly found: readonly FoundConnection[];
  readonly skipped: readonly SkippedLine[];
}

/** More is no file of connections. */
export const IMPORT_CHARACTERS_MAX = 1 << 20;
export const IMPORT_MAX = 500;

const URL_LINE = /^[a-z][a-z0-9+.-]*:(\/\/|\/|\.)/i;

/** Reads URLs, lines of `.pgpass` and sections of `pg_service.conf`, which may stand in one text. */
export function readImport(text: string): ImportList {
  const [found, skipped]: [FoundConnection[], SkippedLine[]] = [[], []];
  let service: Service | undefined;
  const take = (entry: FoundConnection | SkippedLine | undefined) => {
    if (entry === undefined) return;
    if ("why" in entry) skipped.push(entry);
    else found.push(entry);
  };
  text.replace(/^\uFEFF/, "").split("\n").forEach((whole, index) => {
    const line = index + 1;
    const said = whole.trim();
    if (said === "" || said.startsWith("#")) return;
    if (said.startsWith("[")) {
      take(service?.end());
      service = new Service(line, /^\[(.*)\]$/.exec(said)?.[1]?.trim());
    } else if (URL_LINE.test(said)) {
      take(service?.end());
      service = undefined;
      take(urlOf(line, said));
    } else if (service !== undefined && said.includes("=")) service.take(whole.replace(/^[ \t\v\f\r]+|[ \t\v\f\r]+$/g, ""));
    else take(passOf(line, whole.replace(/\r$/, "")));
  });
  take(service?.end());
  return { found, skipped: skipped.toSorted((a, b) => a.line - b.line) };
}

function urlOf(line: number, text: string): FoundConnection | SkippedLine {
  const { url, password } = withoutPassword(text);
  if (/[?&][^=&]*pass[^=&]*=/i.test(url)) return { line, why: "it has a password among its options" };
  return { line, name: nameOf(url), leadsTo: { kind: "url", url }, password: password === "" ? undefined : password };
}

/** For people: `ada@db.example.org shop`, or a file's name. */
function nameOf(url: string): string {
  const parts = /^[^:]+:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?/.exec(url);
  if (parts === null || (parts[2] === "" && parts[1] === undefined)) return url.split(/[?#]/)[0]?.split("/").at(-1) || url;
  const [, user = "", host = "", database = ""] = parts;
  const where = host.replace(/:\d*$/, "") || "localhost";
  return `${user === "" ? "" : `${user}@`}${where}${database === "" ? "" : ` ${database}`}`;
}

/** HOST:PORT:DATABASE:USER:PASSWORD, where `\:` and `\\` stand for themselves and `*` for anything. */
function passOf(line: number, text: string): FoundConnection | SkippedLine {
  const fields = [...text.matchAll(/((?:[^:\\]|\\.?)*)(:|$)/gs)].map(([, field = ""]) => field.replaceAll(/\\(.)/gs, "$1"));
  const [host = "", port = "", database = "", user = "", password = ""] = fields;
  // The last match is the empty end of the text.
  if (fields.length < 5 || text.split(":").length < 5) return { line, why: "it is no URL, no service and no line of .pgpass" };
  if ([host, port, user].includes("*")) return { line, why: "it stands for any host, port or user, and a connection leads to one" };
  if (password === "") return { line, why: "it has no password" };
  const isAny = database === "*" || database === "";
  const values: readonly (readonly [string, string])[] = [
    ["host", host],
    ["user", user],
    ...(port === "" ? [] : [["port", port] as const]),
    ...(isAny ? [] : [["database", database] as const]),
  ];
  return { line, name: `${user}@${host}${isAny ? "" : ` ${database}`}`, leadsTo: { kind: "values", driverType: "postgres", values }, password };
}

/** Keywords of libpq and the fields of the driver that they are. */
const KEYWORDS: Readonly<Record<string, string>> = {
  host: "host",
  hostaddr: "host",
  port: "port",
  user: "user",
  dbname: "database",
  sslmode: "sslmode",
  sslrootcert: "sslrootcert",
  sslcert: "sslcert",
  sslnegotiation: "sslnegotiation",
  channel_binding: "channel_binding",
  target_session_attrs: "target_session_attrs",
};

/** Those that say nothing of where a connection leads, and how it is trusted. */
const HARMLESS: ReadonlySet<string> = new Set(["application_name", "connect_timeout", "keepalives", "keepalives_idle", "client_encoding", "fallback_application_name"]);

/** A section of `pg_service.conf`. */
class Service {
  private readonly values: (readonly [string, string])[] = [];
  private password: string | undefined;
  private fault: string | undefined;

  constructor(
    private readonly line: number,
    private readonly name: string | undefined,
  ) {}

  take(text: string): void {
    const at = text.indexOf("=");
    const [keyword, value] = [text.slice(0, at), text.slice(at + 1)];
    const field = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    if (keyword === "password") {
      if (this.password !== undefined) this.fault ??= "it says its password twice";
      this.password = value;
    } else if (field !== undefined) {
      if (this.values.some(([name]) => name === field)) this.fault ??= `it says its ${field} twice`;
      this.values.push([field, value]);
      // What is no word may be a password on a line of its own, and is not repeated.
    } else if (!HARMLESS.has(keyword)) this.fault ??= "it has a keyword that the driver does not know";
  }

  end(): FoundConnection | SkippedLine {
    const { line, name, fault, values } = this;
    if (name === undefined || name === "") return { line, why: "its name does not end with ]; what stands below it is left out" };
    if (fault !== undefined) return { line, why: `service ${name}: ${fault}` };
    return { line, name, leadsTo: { kind: "values", driverType: "postgres", values }, password: this.password === "" ? undefined : this.password };
  }
}
