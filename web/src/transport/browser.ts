import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AccessService } from "../gen/core/v1/access_pb.ts";
import { type Entry, type Followed, type Host, OUTLIVES_MAX } from "./host.ts";

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

/** Has the last calls of a page that goes outlive it, as far as there is room for them: a browser refuses what is beyond it. */
export class LastCalls {
  private isLeaving = false;
  private left = OUTLIVES_MAX;

  leave(): void {
    this.isLeaving = true;
    this.left = OUTLIVES_MAX;
  }

  /** The page is shown again. */
  stay(): void {
    this.isLeaving = false;
  }

  /** Whether a call with this body outlives the page. */
  takes(body: BodyInit | null | undefined): boolean {
    if (!this.isLeaving || sizeOf(body) > this.left) return false;
    this.left -= sizeOf(body);
    return true;
  }
}

function sizeOf(body: BodyInit | null | undefined): number {
  return body instanceof Uint8Array ? body.byteLength : Number.POSITIVE_INFINITY;
}

export function browserParts(): BrowserParts {
  // What is typed last is sent in this moment.
  const last = new LastCalls();
  addEventListener("pagehide", () => last.leave());
  addEventListener("pageshow", () => last.stay());
  return {
    baseUrl: location.origin,
    fragment: location.hash,
    dropFragment: () => history.replaceState(history.state, "", location.pathname + location.search),
    storage: sessionStorage,
    fetch: (input, init) => fetch(input, { ...init, keepalive: last.takes(init?.body) }),
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

/** Whether both addresses are of one server: a machine has several names for itself. */
function isSameServer(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  const isItself = ({ hostname }: URL) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  return a.origin === b.origin || (a.protocol === b.protocol && a.port === b.port && isItself(a) && isItself(b));
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
  const follow = (link: string, isMeant: boolean): Followed => {
    const text = link.trim();
    if (!URL.canParse(text)) return { kind: "no-link" };
    const { protocol, hash, origin } = new URL(text);
    if (!/^https?:$/.test(protocol) || codeOf(hash) === undefined) return { kind: "no-link" };
    if (!isSameServer(text, parts.baseUrl)) {
      if (isMeant) parts.go(text);
      return isMeant ? { kind: "followed" } : { kind: "elsewhere", origin };
    }
    // What is typed is kept by the page's own origin: the code is good there as well.
    parts.go(`${parts.baseUrl}/${hash}`);
    return { kind: "followed" };
  };
  return { transport, enter, follow };
}
