import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import type { Keyring } from "./keyring.ts";
import { DraftKind, DraftService } from "../../src/gen/core/v1/draft_pb.ts";

/** How long anything may take on a machine that does ten other things. */
export const PATIENCE_MS = 60_000;

const PROGRAM = process.env.QUERYBOX_PROGRAM ?? resolve(import.meta.dirname, "../../../bin/querybox");
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** A built page that takes the place of the one in the server, so that the server need not be built for each change of it. */
const UI = process.env.QUERYBOX_UI;

interface PageOptions extends BrowserContextOptions {
  /** It begins with what the last one left. */
  readonly isNew?: boolean;
  /** What the browser says of its machine. */
  readonly platform?: string;
  /** Shortcuts that were chosen before. */
  readonly keys?: Readonly<Record<string, string>>;
  /** In place of a link that lets it in. */
  readonly link?: string;
}

interface HouseOptions {
  /** Its server has a master key, and so a vault. */
  readonly hasVault?: boolean;
  /** The keyring that its server finds. */
  readonly keyring?: () => Keyring;
}

/** A server with a home of its own, and a browser. */
export class House {
  private readonly problems: string[] = [];

  private constructor(
    readonly home: string,
    readonly url: string,
    private readonly surroundings: NodeJS.ProcessEnv,
    private server: ChildProcess,
    private browser: Browser,
  ) {}

  static async start({ hasVault = false, keyring }: HouseOptions = {}): Promise<House> {
    const home = mkdtempSync(join(tmpdir(), "querybox-flows-"));
    const surroundings = { ...cleanEnvironment(), ...keyring?.().environment, QUERYBOX_HOME: home };
    if (hasVault) execFileSync(PROGRAM, ["keys", "init", "--keep-on-disk"], { env: surroundings, stdio: "pipe" });
    const { server, url } = await serve(surroundings, "127.0.0.1:0");
    return new House(home, url, surroundings, server, await browse());
  }

  /** Ends the server without a word, and starts another one at the same place. */
  async killServer(): Promise<void> {
    await this.endServer();
    await this.startServer();
  }

  /** Ends the server without a word. */
  async endServer(): Promise<void> {
    await end(this.server, "SIGKILL");
  }

  /** Starts another server at the place of one that has ended. */
  async startServer(): Promise<void> {
    const place = new URL(this.url).host;
    for (const until = Date.now() + PATIENCE_MS; ; ) {
      try {
        ({ server: this.server } = await serve(this.surroundings, place));
        return;
      } catch (error) {
        // Something else may have its port for a moment.
        if (Date.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  /** Ends the browser without a word, and starts another one. */
  async killBrowser(): Promise<void> {
    const gone = new Promise((resolve) => this.browser.once("disconnected", resolve));
    const session = await this.browser.newBrowserCDPSession();
    // It answers nothing any more.
    session.send("Browser.crash").catch(() => {});
    await gone;
    this.browser = await browse();
  }

  /** A page that came in by a link of its own. What the browser complains of is remembered. */
  async open({ isNew = false, platform, keys, link, ...options }: PageOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      viewport: { width: 1440, height: 900 },
      permissions: ["clipboard-read", "clipboard-write"],
      ...options,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    if (UI !== undefined) await serveFrom(UI, context, this.url);
    // Tabs and settings of the tests before this one are not taken over, unless that is what is tested.
    if (!isNew) {
      await this.forget(DraftKind.LAYOUT);
      await context.addInitScript(() => {
        // What a browser shows of its own, where nobody answers, has no storage.
        if (!location.protocol.startsWith("http")) return;
        if (sessionStorage.getItem("querybox.tabs") === null) {
          sessionStorage.setItem("querybox.tabs", "{}");
          sessionStorage.setItem("querybox.drafts", "[]");
        }
        if (localStorage.getItem("querybox.layout") === null) localStorage.setItem("querybox.layout", "{}");
      });
    }
    if (platform !== undefined) await context.addInitScript((value) => Object.defineProperty(navigator, "platform", { get: () => value }), platform);
    if (keys !== undefined) await context.addInitScript((chosen) => localStorage.setItem("querybox.layout", JSON.stringify({ keys: chosen })), keys);
    const page = await context.newPage();
    page.on("pageerror", (error) => this.problems.push(error.message));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) this.problems.push(message.text());
    });
    await page.goto(link ?? this.link());
    // A link that leads nowhere shows no sheet.
    await page.locator(link === undefined ? "#sheet h1" : "h1").waitFor({ state: "attached" });
    if (link === undefined) await whenComplete(page);
    return page;
  }

  /** Has Core forget what was typed, or how the page was laid out. */
  private async forget(forgotten: DraftKind): Promise<void> {
    const token = readFileSync(join(this.home, "token"), "utf8").trim();
    const authorize: Interceptor = (next) => (request) => {
      request.header.set("authorization", `Bearer ${token}`);
      return next(request);
    };
    const drafts = createClient(DraftService, createGrpcWebTransport({ baseUrl: this.url, interceptors: [authorize] }));
    const { drafts: heads } = await drafts.listDrafts({});
    for (const { draftId, revision, kind } of heads) if (kind === forgotten) await drafts.deleteDraft({ draftId, revision });
  }

  link(): string {
    return this.command(["link"]);
  }

  /** What a command says that has the server do its work. */
  command(words: readonly string[], input = ""): string {
    return execFileSync(PROGRAM, words, { env: { ...this.surroundings, QUERYBOX_SERVER: this.url }, encoding: "utf8", input, stdio: ["pipe", "pipe", "ignore"] }).trim();
  }

  /** The server's process. */
  get serverPid(): number | undefined {
    return this.server.pid;
  }

  /** Begins anew, whatever a test that failed has left: no page, no server that has ended, and no text of another test. */
  async renew(): Promise<void> {
    for (const context of this.browser.contexts()) await context.close();
    if (hasEnded(this.server)) await this.startServer();
    await this.forget(DraftKind.EDITOR);
    this.complaints();
  }

  /** What a page complained of since the last time. */
  complaints(): readonly string[] {
    return this.problems.splice(0);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await end(this.server, "SIGTERM");
    rmSync(this.home, { recursive: true, force: true });
  }
}

function hasEnded(process: ChildProcess): boolean {
  return process.exitCode !== null || process.signalCode !== null;
}

/** Returns when a process has ended, which it may have before. */
async function end(process: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(process)) return;
  const ended = new Promise((resolve) => process.once("exit", resolve));
  process.kill(signal);
  await ended;
}

/** Starts a server. Whoever ends it reads no more of its words. */
async function serve(surroundings: NodeJS.ProcessEnv, listen: string): Promise<{ readonly server: ChildProcess; readonly url: string }> {
  const server = spawn(PROGRAM, ["serve", "--listen", listen], {
    env: surroundings,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const url = await new Promise<string>((found, failed) => {
    server.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
    createInterface({ input: server.stdout }).on("line", (line) => {
      const link = /http:\/\/\S+(?=\/#code=)/.exec(line)?.[0];
      if (link !== undefined) found(link);
    });
  });
  return { server, url };
}

/** Starts a browser, with more arguments. */
export async function browse(...more: readonly string[]): Promise<Browser> {
  const path = process.env.QUERYBOX_BROWSER ?? BROWSERS.find(existsSync);
  if (path === undefined) throw new Error("no Chromium is installed");
  // As root a browser has no sandbox of its own; it shows nothing but our own page.
  return chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-dev-shm-usage", ...more] });
}

/** A house for the tests of a file. */
export function useHouse(options: HouseOptions = {}): () => House {
  let house: House | undefined;
  beforeAll(async () => {
    house = await House.start(options);
  });
  // So that a test fails of what is its own.
  beforeEach(async () => {
    await house?.renew();
  });
  afterAll(async () => {
    await house?.stop();
  });
  return () => {
    if (house === undefined) throw new Error("the house is built before the tests");
    return house;
  };
}

/** Has a browser load the page's files from a folder, under the server's own policy. */
async function serveFrom(folder: string, context: BrowserContext, url: string): Promise<void> {
  // Also while the server is away, as from the browser's cache.
  const { headers: first } = await fetch(url);
  const policy = first.get("content-security-policy") ?? "";
  await context.route((asked) => asked.origin === url && (asked.pathname === "/" || existsSync(join(folder, asked.pathname))), async (route) => {
    const { pathname } = new URL(route.request().url());
    await route.fulfill({ path: join(folder, pathname === "/" ? "index.html" : pathname), headers: { "content-security-policy": policy, ...typeOf(pathname) } });
  });
}

function typeOf(pathname: string): Record<string, string> {
  const types: readonly (readonly [RegExp, string])[] = [[/\.js$/, "text/javascript"], [/\.css$/, "text/css"], [/\.svg$/, "image/svg+xml"], [/\.woff2$/, "font/woff2"], [/^\/$/, "text/html; charset=utf-8"]];
  const type = types.find(([pattern]) => pattern.test(pathname))?.[1];
  return type === undefined ? {} : { "content-type": type };
}

/** Nothing of whoever runs the tests, nor his keyring. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(QUERYBOX_|PG|DBUS_)/.test(name)));
}

/** Opens the sample's tables in the tree. */
export async function openSample(page: Page): Promise<void> {
  await page.getByRole("treeitem", { name: "sample" }).click();
  await page.getByRole("treeitem", { name: /^orders\b/ }).waitFor();
}

/** Returns once all that a page asks for at first is there: then alone it offers to open tabs, or connections where it knows none. */
export async function whenComplete(page: Page): Promise<void> {
  const offered = page.locator(".strip-end").getByRole("button", { name: "New query", exact: true });
  await offered.or(page.getByRole("heading", { name: "Open a connection", exact: true })).first().waitFor({ state: "attached" });
}

/** Opens a tab, and returns its editor. */
export async function openTab(page: Page): Promise<Locator> {
  await whenComplete(page);
  const titles = () => page.locator(".tab-head").evaluateAll((heads) => heads.map((head) => head.getAttribute("title") ?? ""));
  const before = new Set(await titles());
  await page.keyboard.press("Alt+t");
  let opened: string | undefined;
  await expect.poll(async () => (opened = (await titles()).find((title) => !before.has(title))), { timeout: PATIENCE_MS }).toBeDefined();
  return page.getByRole("textbox", { name: `SQL of ${opened}`, exact: true });
}

/** Opens a tab and types into its editor. */
export async function typeQuery(page: Page, sql: string): Promise<void> {
  const editor = await openTab(page);
  await editor.click();
  await page.keyboard.insertText(sql);
}

/** Lets what the shown tab runs take as long as it takes. */
export async function liftDeadline(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Deadline/ }).click();
  await page.getByRole("menuitemradio", { name: "No limit", exact: true }).click();
  await page.getByRole("button", { name: /^Deadline: No limit/ }).waitFor();
}

/** What became of a cancel: a busy machine's database may take longer to stop than its driver is given. */
export const STOPPED = /^The database (stopped after|did not answer)/;

/** Rows that came from what still runs. */
export const ROWS_SO_FAR = /^\s*[1-9][\d,]* rows? so far$/;

/** Waits for something, and types the password if that is asked for first: a session may have ended with a driver that did not stop in time. */
export async function waitAnswering(wanted: Locator, password: string): Promise<void> {
  const question = wanted.page().getByRole("dialog", { name: /^Password for / });
  await wanted.or(question).first().waitFor();
  if (await question.isVisible()) {
    await question.getByLabel("Password", { exact: true }).fill(password);
    await question.getByLabel("Password", { exact: true }).press("Enter");
  }
  await wanted.waitFor();
}

/** Runs all of a text that is typed in the place of the one that is there. */
export async function runInstead(page: Page, sql: string): Promise<void> {
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(sql);
  await page.keyboard.press("Control+Shift+Enter");
}
