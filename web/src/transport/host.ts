import type { Transport } from "@connectrpc/connect";

/** What the page needs of the program that it runs in: a browser today. */
export interface Host {
  /** Calls of Core, with the right to call. */
  readonly transport: Transport;
  /** Comes by the right to call. */
  enter(signal: AbortSignal): Promise<Entry>;
  /** Comes in by a link that somebody pasted: the page begins anew with it. One that leads to another server is followed only when it is meant so. */
  follow(link: string, isMeant: boolean): Followed;
}

/** How many bytes, of all calls together, may be on their way from a page that is gone. Browsers allow 64 KiB. */
export const OUTLIVES_MAX = 60_000;

/** What became of a link. */
export type Followed =
  | { readonly kind: "followed" }
  | { readonly kind: "no-link" }
  /** It leads to another server than the page's: what is typed here is not there. */
  | { readonly kind: "elsewhere"; readonly origin: string };

/** Whether the page may call Core. */
export type Entry =
  | { readonly kind: "in" }
  /** The link was never used here, or not any more: another one is needed. */
  | { readonly kind: "out"; readonly why: "no-code" | "code-spent" | "token-old" }
  | { readonly kind: "unreachable"; readonly error: unknown };
