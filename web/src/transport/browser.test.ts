import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { browserHost, codeOf, LastCalls } from "./browser.ts";

/** Answers gRPC-web as a server of one token does, for a page whose tab holds `stored`. */
function page(fragment: string, stored?: string) {
  const kept = new Map<string, string>(stored === undefined ? [] : [["querybox.token", stored]]);
  let dropped = false;
  const went: string[] = [];
  const codes = new Set(["good"]);
  const answer = (status: Code | 0, body: Uint8Array = new Uint8Array()) => {
    const trailer = new TextEncoder().encode(`grpc-status:${status}\r\n`);
    const frame = (flag: number, data: Uint8Array) => [flag, ...new Uint8Array(new Uint32Array([data.length]).buffer).reverse(), ...data];
    const bytes = status === 0 ? [...frame(0, body), ...frame(0x80, trailer)] : frame(0x80, trailer);
    return new Response(new Uint8Array(bytes), { headers: { "content-type": "application/grpc-web+proto" } });
  };
  const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const url = String(input);
    if (url.endsWith("/TradeCode")) {
      const body = new TextDecoder().decode(init?.body as Uint8Array);
      const code = [...codes].find((known) => body.includes(known));
      if (code === undefined) return answer(Code.Unauthenticated);
      codes.delete(code);
      return answer(0, new Uint8Array([10, 5, ...new TextEncoder().encode("token")]));
    }
    const shown = new Headers(init?.headers).get("authorization");
    return shown === "Bearer token" ? answer(0) : answer(Code.Unauthenticated);
  };
  const host = browserHost({
    baseUrl: "http://127.0.0.1:1",
    fragment,
    dropFragment: () => (dropped = true),
    storage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    },
    fetch: fetch as typeof globalThis.fetch,
    go: (address) => void went.push(address),
  });
  return { enter: () => host.enter(new AbortController().signal), kept, dropped: () => dropped, follow: (link: string, isMeant = false) => host.follow(link, isMeant), went };
}

describe("a page comes in", () => {
  test("by the code of its link, which does not stay in the address", async () => {
    const { enter, kept, dropped } = page("#code=good");
    expect(await enter()).toEqual({ kind: "in" });
    expect(kept.get("querybox.token")).toBe("token");
    expect(dropped()).toBe(true);
  });
  test("by the token of the tab, after a reload", async () => {
    expect(await page("", "token").enter()).toEqual({ kind: "in" });
  });
  test("by the token of the tab, when the link was used before", async () => {
    expect(await page("#code=spent", "token").enter()).toEqual({ kind: "in" });
  });
});

describe("a page stays out", () => {
  test("without a link", async () => {
    expect(await page("").enter()).toEqual({ kind: "out", why: "no-code" });
  });
  test("with a link that was used", async () => {
    expect(await page("#code=spent").enter()).toEqual({ kind: "out", why: "code-spent" });
  });
  test("with the token of a server that ended, which it then forgets", async () => {
    const { enter, kept } = page("", "old");
    expect(await enter()).toEqual({ kind: "out", why: "token-old" });
    expect(kept.size).toBe(0);
  });
  test("when nobody answers", async () => {
    const host = browserHost({
      baseUrl: "http://127.0.0.1:1",
      fragment: "#code=good",
      dropFragment: () => expect.unreachable("the code was not used"),
      storage: { getItem: () => null, setItem: () => {}, removeItem: () => {} },
      fetch: () => Promise.reject(new TypeError("Failed to fetch")),
      go: () => expect.unreachable("nobody gave a link"),
    });
    expect((await host.enter(new AbortController().signal)).kind).toBe("unreachable");
  });
});

test("a link that is pasted is followed, and nothing else is", () => {
  const { follow, went } = page("");
  for (const text of ["", "code=good", "http://127.0.0.1:1/", "javascript:alert(1)#code=good", "http://127.0.0.1:1/#other=1"]) {
    expect(follow(text), text).toEqual({ kind: "no-link" });
  }
  expect(follow("  http://127.0.0.1:1/#code=good\n")).toEqual({ kind: "followed" });
  // Another name of the same machine leads to the same server, and the page stays where what was typed is kept.
  expect(follow("http://localhost:1/#code=good")).toEqual({ kind: "followed" });
  expect(went).toEqual(["http://127.0.0.1:1/#code=good", "http://127.0.0.1:1/#code=good"]);
});

test("a link to another server is followed only when it is meant", () => {
  const { follow, went } = page("");
  for (const origin of ["http://127.0.0.1:2", "http://elsewhere.example:1", "https://127.0.0.1:1"]) {
    expect(follow(`${origin}/#code=good`)).toEqual({ kind: "elsewhere", origin });
  }
  expect(went).toEqual([]);
  expect(follow("http://127.0.0.1:2/#code=good", true)).toEqual({ kind: "followed" });
  expect(went).toEqual(["http://127.0.0.1:2/#code=good"]);
});

test("a code is found among other things of a fragment", () => {
  expect(codeOf("#code=a-b_c")).toBe("a-b_c");
  expect(codeOf("#x=1&code=a")).toBe("a");
  expect(codeOf("")).toBeUndefined();
});

test("the last calls of a page that goes outlive it as far as browsers allow for all of them together", () => {
  const last = new LastCalls();
  const forty = new Uint8Array(40_000);
  expect(last.takes(forty)).toBe(false);
  last.leave();
  expect([forty, forty, new Uint8Array(10_000), null].map((body) => last.takes(body))).toEqual([true, false, true, false]);
  last.stay();
  expect(last.takes(new Uint8Array(1))).toBe(false);
});
