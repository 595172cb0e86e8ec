const KEY = "querybox.window";
/** A page that goes lets go of its name within this. One that cannot answer is taken for one that lives. */
const LETS_GO_MS = 5_000;
/** Where there are no locks, a page that lives answers within this. */
const ANSWERS_MS = 300;

/** The parts of a browser that tell one window from another. */
export interface WindowParts {
  /** Goes with the browser's tab, and is copied with it. */
  readonly storage: Pick<Storage, "getItem" | "setItem">;
  /** Absent: the browser has none, as on pages that are not from this machine and without TLS. */
  readonly locks: Pick<LockManager, "request"> | undefined;
  /** Where the pages of this browser hear each other. Absent: the browser has none. */
  readonly channel: ((name: string) => Pick<BroadcastChannel, "postMessage" | "onmessage" | "close">) | undefined;
  readonly makeId: () => string;
}

export function windowParts(): WindowParts {
  return {
    storage: sessionStorage,
    locks: "locks" in navigator ? navigator.locks : undefined,
    channel: "BroadcastChannel" in globalThis ? (name) => new BroadcastChannel(name) : undefined,
    makeId: () => crypto.randomUUID(),
  };
}

/**
 * Gives the page a name, and holds it until the page goes. Answers whether the page is a copy: a browser that duplicates a tab
 * copies what was stored in it, so that two windows would take themselves for the same one.
 */
export async function claimWindow(parts: WindowParts): Promise<{ readonly isCopy: boolean }> {
  const kept = parts.storage.getItem(KEY);
  if (kept !== null && (await take(parts, kept, ANSWERS_MS))) return { isCopy: false };
  const id = parts.makeId();
  try {
    parts.storage.setItem(KEY, id);
  } catch {
    // A page that is loaded again is then taken for a new one.
  }
  // Nobody else knows it.
  await take(parts, id, 0);
  return { isCopy: kept !== null };
}

type Words = { readonly asks: string; readonly by: string } | { readonly has: string };

/** Takes a name that nobody else has within a time. Answers whether this page has it now. */
async function take({ locks, channel, makeId }: WindowParts, id: string, answersWithin: number): Promise<boolean> {
  const me = makeId();
  let state: "asking" | "mine" | "theirs" = "asking";
  const others = channel?.("querybox.windows");
  const answered = new Promise<boolean>((resolve) => {
    if (others === undefined) return;
    others.onmessage = ({ data }: MessageEvent<Words>) => {
      if ("has" in data) return data.has === id ? resolve(false) : undefined;
      // Of two that ask at once, one has it.
      if (data.asks === id && (state === "mine" || me < data.by)) others.postMessage({ has: id });
    };
    others.postMessage({ asks: id, by: me });
  });
  const over = new AbortController();
  const held = new Promise<boolean>((resolve) => {
    // It is held as long as the page lives: a browser that dies lets go of it too.
    const hold = () => {
      resolve(true);
      return state === "theirs" ? undefined : new Promise<never>(() => undefined);
    };
    locks?.request(`querybox.window.${id}`, { signal: over.signal }, hold).catch(() => undefined);
  });
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(locks === undefined), locks === undefined ? answersWithin : LETS_GO_MS));
  const isMine = await Promise.race([answered, held, late]);
  state = isMine ? "mine" : "theirs";
  if (!isMine) {
    over.abort();
    others?.close();
  }
  return isMine;
}
