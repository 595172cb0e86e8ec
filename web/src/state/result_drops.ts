import type { Core } from "../transport/core.ts";
import { isUnreachable } from "../transport/problem.ts";

/** Of a run that was cancelled before Core knew of it, this long it may begin all the same. */
const MAY_BEGIN_MS = 300_000;

/** Drops results that the page wants no more, also where Core is away, or does not know of them yet. */
export class ResultDrops {
  private readonly listeners = new Set<(resultId: string) => void>();
  /** Results that are to be dropped once Core is there. */
  private readonly undropped = new Set<string>();
  /** Results of runs that were cancelled before Core knew of them, by when: one that begins all the same is dropped. */
  private readonly unwanted = new Map<string, number>();

  constructor(private readonly core: Core) {}

  /** Calls when the page wants a result no more. */
  onDrop(listener: (resultId: string) => void): void {
    this.listeners.add(listener);
  }

  /** The page has no more of a result. */
  tell(resultId: string): void {
    for (const listener of this.listeners) listener(resultId);
  }

  async drop(resultId: string): Promise<void> {
    this.tell(resultId);
    try {
      await this.core.results.dropResult({ resultId });
      this.undropped.delete(resultId);
      this.unwanted.delete(resultId);
    } catch (error) {
      // What runs goes on without the page. What Core refuses is not there any more, or not yet.
      if (isUnreachable(error)) this.undropped.add(resultId);
      else this.undropped.delete(resultId);
    }
  }

  /** Drops a result as soon as Core knows of it. */
  refuse(resultId: string): void {
    this.forgetOld();
    this.unwanted.set(resultId, Date.now());
  }

  /** Hears that Core knows of a result. Answers whether nobody wants it. */
  hear(resultId: string): boolean {
    if (!this.unwanted.delete(resultId)) return false;
    void this.drop(resultId);
    return true;
  }

  /** Drops what could not be dropped yet: Core was away, or what it told was lost. */
  again(): void {
    this.forgetOld();
    for (const resultId of new Set([...this.undropped, ...this.unwanted.keys()])) void this.drop(resultId);
  }

  private forgetOld(): void {
    for (const [resultId, at] of this.unwanted) if (Date.now() - at > MAY_BEGIN_MS) this.unwanted.delete(resultId);
  }
}
