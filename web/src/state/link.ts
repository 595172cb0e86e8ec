import { createStore, type StoreApi } from "zustand/vanilla";
import { ANSWERS_MS } from "../transport/core.ts";
import { isAborted, isLockedOut, isOverdue, isUnreachable, type Problem, problemOf } from "../transport/problem.ts";
import type { Entry, Followed, Host } from "../transport/host.ts";
import { inTurn } from "./in_turn.ts";

/** How the page stands with Core. */
export type Link =
  | { readonly kind: "entering" }
  | { readonly kind: "in" }
  | { readonly kind: "out"; readonly why: Extract<Entry, { kind: "out" }>["why"] }
  | { readonly kind: "failed"; readonly problem: Problem }
  /** It was in, and nobody answers now. */
  | { readonly kind: "lost"; readonly since: number; readonly tries: number };

const AGAIN_MS = 2_000;
const AGAIN_MAX_MS = 15_000;
/** A page that shows nothing yet asks this often. */
const FAILED_AGAIN_MS = 5_000;

/** Keeps the page's link to Core: comes in, and comes in again when Core was away. */
export class LinkKeeper {
  readonly store: StoreApi<Link> = createStore<Link>(() => ({ kind: "entering" }));
  private readonly returned = new Set<() => void>();
  private readonly over = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** How many tries to come in have begun, or ended. */
  private turn = 0;

  constructor(private readonly host: Omit<Host, "follow"> & Partial<Pick<Host, "follow">>) {}

  /** Comes in. Where nobody answers it is tried again by itself. */
  async enter(): Promise<void> {
    clearTimeout(this.timer);
    this.store.setState({ kind: "entering" }, true);
    const entry = await this.ask(this.over.signal);
    if (entry !== undefined) this.settle(entry);
  }

  /** Waits until the page is in. */
  whenIn(): Promise<void> {
    if (this.store.getState().kind === "in") return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.store.subscribe(({ kind }) => {
        if (kind !== "in") return;
        stop();
        resolve();
      });
    });
  }

  /** Calls when Core is there again after it was lost. */
  onReturn(listener: () => void): () => void {
    this.returned.add(listener);
    return () => this.returned.delete(listener);
  }

  /** Hears of a call that failed. Answers what people are to be told, or nothing when the page itself broke it off. */
  hear(error: unknown): Problem | undefined {
    if (isAborted(error)) return undefined;
    if (isLockedOut(error)) this.store.setState({ kind: "out", why: "token-old" }, true);
    // One call that took long says nothing of Core: another one does.
    else if (isOverdue(error)) void this.check();
    else if (isUnreachable(error) && this.store.getState().kind === "in") this.lose();
    return problemOf(error);
  }

  /** Comes in by another link. */
  follow(link: string, isMeant: boolean): Followed {
    return this.host.follow?.(link, isMeant) ?? { kind: "no-link" };
  }

  /** Sees whether Core still answers: one that hangs, and a network that swallows all, fail no call for long. */
  readonly check: () => Promise<void> = inTurn(async () => {
    if (this.store.getState().kind !== "in") return;
    const { turn } = this;
    const entry = await this.host.enter(this.patience());
    // It was lost meanwhile, and may be back.
    if (turn !== this.turn || this.store.getState().kind !== "in") return;
    if (entry.kind === "unreachable") this.lose();
    else if (entry.kind === "out") this.settle(entry);
  });

  /** Asks at once whether Core is there again. */
  tryNow(): void {
    clearTimeout(this.timer);
    void this.tryAgain();
  }

  close(): void {
    clearTimeout(this.timer);
    this.over.abort();
  }

  private lose(): void {
    this.store.setState({ kind: "lost", since: Date.now(), tries: 0 }, true);
    this.timer = setTimeout(() => void this.tryAgain(), AGAIN_MS);
  }

  private async tryAgain(): Promise<void> {
    const before = this.store.getState();
    if (before.kind !== "failed" && before.kind !== "lost") return;
    const entry = await this.ask(before.kind === "lost" ? this.patience() : this.over.signal);
    if (entry === undefined) return;
    if (before.kind === "failed" || entry.kind !== "unreachable") return this.settle(entry);
    const tries = before.tries + 1;
    this.store.setState({ ...before, tries }, true);
    this.timer = setTimeout(() => void this.tryAgain(), Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** Math.min(tries, 3)));
  }

  /** Tries to come in. Nothing is said by a try after which another one began, unless it came in first. */
  private async ask(signal: AbortSignal): Promise<Entry | undefined> {
    const turn = ++this.turn;
    const entry = await this.host.enter(signal);
    const isIn = this.store.getState().kind === "in";
    if (turn !== this.turn && (entry.kind !== "in" || isIn)) return undefined;
    // Those that are still on their way have nothing more to say.
    this.turn += 1;
    clearTimeout(this.timer);
    return entry;
  }

  private patience(): AbortSignal {
    return AbortSignal.any([this.over.signal, AbortSignal.timeout(ANSWERS_MS)]);
  }

  private settle(entry: Entry): void {
    const wasLost = this.store.getState().kind === "lost";
    if (entry.kind === "unreachable") {
      this.store.setState({ kind: "failed", problem: problemOf(entry.error) }, true);
      this.timer = setTimeout(() => void this.tryAgain(), FAILED_AGAIN_MS);
    } else this.store.setState(entry, true);
    if (wasLost && entry.kind === "in") for (const listener of this.returned) listener();
  }
}
