/** Between two looks at the same result, so that what comes fast is seen together. */
const PAUSE_MS = 50;

/** Looks once for all that is told while it looks: thousands of notices are no thousands of questions. */
export class LookTurns {
  /** Looks that are under way, and whether another one is to follow. */
  private readonly turns = new Map<string, { again: boolean }>();

  async take(key: string, look: () => Promise<void>): Promise<void> {
    const running = this.turns.get(key);
    if (running !== undefined) {
      running.again = true;
      return;
    }
    const turn = { again: true };
    this.turns.set(key, turn);
    while (turn.again) {
      turn.again = false;
      const begun = performance.now();
      await look();
      // A page that only looks can do nothing else: a long look is followed by as long a pause.
      if (turn.again) await new Promise((resolve) => setTimeout(resolve, Math.max(PAUSE_MS, performance.now() - begun)));
    }
    this.turns.delete(key);
  }
}
