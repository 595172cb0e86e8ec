import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AccessService } from "../gen/core/v1/access_pb.ts";
import type { Entry, Host } from "./host.ts";

const TOKEN_KEY = "querybox.token";

/** The parts of a browser that the host uses. */
export interface BrowserParts {
  readonly baseUrl: string;
  /** The fragment of the page's address, with its `#`. */
  readonly fragment: string;
  /** Takes the fragment out of the address, so that no code stays in the history. */
  readonly dropFragment: () => void;
  /** Goes with the tab: a token is good for one run of Core, and no other page gets at it. */
  readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly fetch: typeof globalThis.fetch;
  /** Begins anew at an address. */
  readonly go: (address: string) => void;
}

export function browserParts(): BrowserParts {
  return {
    baseUrl: location.origin,
    fragment: location.hash,
    dropFragment: () => history.replaceState(history.state, "", location.pathname + location.search),
    storage: sessionStorage,
    fetch: (input, init) => fetch(input, init),
    go: (address) => {
      location.href = address;
      // Where only the fragment differs, browsers stay on the page.
      if (new URL(address).origin === location.origin) location.reload();
    },
  };
}

/** The code of a link such as `http://127.0.0.1:8210/#code=…`. */
export function codeOf(fragment: string): string | undefined {
  return new URLSearchParams(fragment.replace(/^#/, "")).get("code") ?? undefined;
}

/** The host of a page in a browser: gRPC-web on the page's own origin, with a token from the link that led here. */
export function browserHost(parts: BrowserParts): Host {
  const authorize: Interceptor = (next) => (request) => {
    const token = parts.storage.getItem(TOKEN_KEY);
    if (token !== null) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const transport = createGrpcWebTransport({
    baseUrl: parts.baseUrl,
    fetch: parts.fetch,
    interceptors: [authorize],
  });
  const access = createClient(AccessService, transport);

  const enter = async (signal: AbortSignal): Promise<Entry> => {
    const code = codeOf(parts.fragment);
    const hadToken = parts.storage.getItem(TOKEN_KEY) !== null;
    let codeSpent = false;
    try {
      if (code !== undefined) {
        try {
          const { token } = await access.tradeCode({ code }, { signal });
          parts.storage.setItem(TOKEN_KEY, token);
        } catch (error) {
          if (ConnectError.from(error).code !== Code.Unauthenticated) throw error;
          // Also the second try of a link that worked: the token of the first may still be good.
          codeSpent = true;
        }
        parts.dropFragment();
      }
      if (parts.storage.getItem(TOKEN_KEY) === null) {
        return { kind: "out", why: codeSpent ? "code-spent" : "no-code" };
      }
      await access.getServer({}, { signal });
      return { kind: "in" };
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unauthenticated) return { kind: "unreachable", error };
      parts.storage.removeItem(TOKEN_KEY);
      return { kind: "out", why: hadToken ? "token-old" : "no-code" };
    }
  };
  const follow = (link: string): boolean => {
    const text = link.trim();
    if (!URL.canParse(text)) return false;
    const { protocol, hash } = new URL(text);
    if (!/^https?:$/.test(protocol) || codeOf(hash) === undefined) return false;
    parts.go(text);
    return true;
  };
  return { transport, enter, follow };
}
