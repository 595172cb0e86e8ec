import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { Browser, Page } from "playwright-core";
import { expect, test } from "vitest";
import { SessionService } from "../../src/gen/core/v1/session_pb.ts";
import { browse, openSample, PATIENCE_MS, typeQuery, useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse({ hasVault: true });
const postgres = usePostgres();

/** Deletes the connection `doomed`, in gRPC-web: a frame with the name in it. */
const FORGET = "/querybox.core.v1.ConnectionService/DeleteConnection";
const LIST = "/querybox.core.v1.ConnectionService/ListConnections";

/** A page of somebody else's on another port of this machine, as a program that somebody tries out serves it. */
async function hostilePort(): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.end("<!doctype html><title>nice</title><body>nice</body>");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

function token(): string {
  return readFileSync(join(house().home, "token"), "utf8").trim();
}

interface Call {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly mode: RequestMode;
  readonly body: readonly number[];
}

/** What a page gets to see of a call: that it was not let out, nothing, or a status and what gRPC says. */
function call(page: Page, asked: Call): Promise<string> {
  return page.evaluate(async ({ url, headers, mode, body }) => {
    try {
      const answer = await fetch(url, { method: "POST", headers, mode, body: new Uint8Array(body), credentials: "include" });
      if (answer.type === "opaque") return "opaque";
      return `${answer.status} ${answer.headers.get("grpc-status") ?? "with an answer"}`;
    } catch {
      return "not let out";
    }
  }, asked);
}

/** An empty message in a frame of gRPC-web. */
const EMPTY = [0, 0, 0, 0, 0];
const BY_TOKEN = (shown: string) => ({ "content-type": "application/grpc-web+proto", authorization: `Bearer ${shown}` });

/** Counts what is saved, by a call that is let in. */
async function connections(): Promise<number> {
  const answer = await fetch(`${house().url}${LIST}`, { method: "POST", headers: BY_TOKEN(token()), body: new Uint8Array(EMPTY) });
  expect(answer.status).toBe(200);
  return (await answer.text()).split("sample").length;
}

test("a page on another port of this machine can do nothing, not even with the token", async () => {
  const hostile = await hostilePort();
  const own = await house().open();
  const page = await own.context().newPage();
  await page.goto(hostile.url);
  const saved = await connections();
  const url = `${house().url}${LIST}`;
  // The positive twin: from the server's own page the same call is answered.
  expect(await call(own, { url, headers: BY_TOKEN(token()), mode: "cors", body: EMPTY })).toBe("200 with an answer");

  // By the rules of browsers it has to be asked for beforehand, and that is refused.
  expect(await call(page, { url, headers: BY_TOKEN(token()), mode: "cors", body: EMPTY })).toBe("not let out");
  // What needs not be asked for comes without the token, and is told to nobody.
  const forget = `${house().url}${FORGET}`;
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    expect(await call(page, { url: forget, headers: { "content-type": type }, mode: "no-cors", body: EMPTY })).toBe("opaque");
  }
  expect(await connections()).toBe(saved);

  // There is nothing that a browser would send along by itself.
  expect(await own.context().cookies()).toEqual([]);
  const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  expect(kept).not.toContain(token());
  expect(await own.evaluate(() => JSON.stringify({ ...sessionStorage }))).toContain(token());
  await own.context().close();
  hostile.close();
});

test("a form of another page is refused before anything is looked at", async () => {
  const hostile = await hostilePort();
  const own = await house().open();
  const page = await own.context().newPage();
  await page.goto(hostile.url);
  const saved = await connections();
  const statuses: number[] = [];
  page.on("response", (answer) => {
    if (answer.url().startsWith(house().url)) statuses.push(answer.status());
  });
  await page.evaluate((action) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = action;
    form.enctype = "text/plain";
    document.body.append(form);
    form.submit();
  }, `${house().url}/download?ticket=guessed`);
  await expect.poll(() => statuses.length, { timeout: PATIENCE_MS }).toBeGreaterThan(0);
  expect(statuses.every((status) => status === 403)).toBe(true);
  expect(await connections()).toBe(saved);
  await own.context().close();
  hostile.close();
});

test("the page stands in no frame of another one", async () => {
  const hostile = await hostilePort();
  const own = await house().open();
  const page = await own.context().newPage();
  await page.goto(hostile.url);
  const refused = page.waitForEvent("console", { predicate: (message) => message.text().includes("frame-ancestors"), timeout: PATIENCE_MS });
  await page.evaluate((src) => {
    const frame = document.createElement("iframe");
    frame.src = src;
    document.body.append(frame);
  }, house().url);
  await refused;
  expect(await page.evaluate(() => document.querySelector("iframe")?.contentDocument ?? null)).toBeNull();
  await own.context().close();
  hostile.close();
});

test("a name that somebody leads to this machine opens nothing", async () => {
  const { port } = new URL(house().url);
  // What an attacker does by his name server: the page keeps its name, and its address becomes this machine's.
  const led: Browser = await browse("--host-resolver-rules=MAP evil.example 127.0.0.1");
  const page = await led.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const evil = `http://evil.example:${port}`;
  const answer = await page.goto(`${evil}/`);
  expect(answer?.status()).toBe(403);
  // It is of one origin with what it asks, so that no browser stands between them; and it knows the token even.
  expect(await call(page, { url: `${evil}${LIST}`, headers: BY_TOKEN(token()), mode: "cors", body: EMPTY })).toBe("200 7");
  expect(await page.evaluate(async (url) => (await fetch(url)).status, `${evil}/healthz`)).toBe(403);
  // The positive twin: by the server's own name the same browser is let in.
  expect((await page.goto(house().url))?.status()).toBe(200);
  expect(await call(page, { url: `${house().url}${LIST}`, headers: BY_TOKEN(token()), mode: "cors", body: EMPTY })).toBe("200 with an answer");
  await led.close();
});

test(
  "while twenty queries of one page run, its tree answers",
  async () => {
    // The first is not to end before the last begins.
    writeFileSync(join(house().home, "config.toml"), 'deadline = "1h"\n');
    await house().killServer();
    const transport = createGrpcWebTransport({
      baseUrl: house().url,
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", `Bearer ${token()}`);
          return next(request);
        },
      ],
    });
    const sessions = createClient(SessionService, transport);
    const running = async () => (await sessions.listSessions({})).sessions;
    // They sleep, so that the machine is left to what is tried.
    house().command(["connections", "add", "asleep", postgres().url, "--keep", "vault", "--password-stdin"], `${postgres().password}\n`);
    const page = await house().open();
    for (let count = 1; count <= 20; count++) {
      await typeQuery(page, "select pg_sleep(3600)");
      if (count === 1) {
        await page.getByRole("button", { name: /^Connection: / }).click();
        await page.getByRole("menuitemradio", { name: "asleep", exact: true }).click();
      }
      await page.getByRole("button", { name: "Connection: asleep" }).waitFor();
      await page.keyboard.press("Control+Enter");
      await expect.poll(async () => (await running()).length, { timeout: PATIENCE_MS * 2 }).toBe(count);
    }
    await openSample(page);
    expect((await running()).length).toBeGreaterThanOrEqual(20);
    for (const { sessionId } of await running()) await sessions.cancelSession({ sessionId });
    await expect.poll(async () => (await running()).length, { timeout: PATIENCE_MS * 2 }).toBe(0);
    expect(house().complaints()).toEqual([]);
    await page.context().close();
  },
  900_000,
);
