import type { Core } from "../transport/core.ts";
import { isUnreachable, problemOfRejection } from "../transport/problem.ts";
import type { LinkKeeper } from "./link.ts";
import { isKnown, type Said } from "./tab_session.ts";
import { whenFree } from "./when_free.ts";

/** Where it takes longer, the session ends. */
const ROLL_BACK_MS = 30_000;

/** Ends sessions, and transactions in those that stay. */
export class SessionEnds {
  /** Sessions that are to be ended once Core is there. */
  private readonly unended = new Set<string>();

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
  ) {}

  /** Ends what could not be ended while Core was away. */
  again(): void {
    for (const sessionId of this.unended) void this.end(sessionId);
  }

  /** Ends a session. Answers whether a transaction went with it. */
  async end(sessionId: string): Promise<boolean> {
    try {
      const { transactionLost } = await this.core.sessions.closeSession({ sessionId });
      this.unended.delete(sessionId);
      return transactionLost;
    } catch (error) {
      this.link.hear(error);
      // It ends by its idle limit all the same.
      if (isUnreachable(error)) this.unended.add(sessionId);
      else this.unended.delete(sessionId);
      return false;
    }
  }

  /** Rolls back what is open in a session. Answers whether nothing is open there any more, as far as anybody knows. */
  async rollBack(sessionId: string): Promise<boolean> {
    const until = Date.now() + ROLL_BACK_MS;
    try {
      // What still runs there is being cancelled.
      const said = await whenFree(async () => {
        const { said, error } = await this.execute(sessionId, "ROLLBACK", Math.max(1, until - Date.now()));
        if (error !== undefined) throw error;
        return said;
      }, { isWanted: () => Date.now() < until });
      return said === undefined || !isKnown(said.transaction);
    } catch (error) {
      this.link.hear(error);
      return false;
    }
  }

  /** Runs what ends a transaction. Answers what the database said of it, and what broke before the end of the answer. */
  async execute(sessionId: string, sql: "COMMIT" | "ROLLBACK", timeoutMs: number): Promise<{ readonly said: Said | undefined; readonly error?: unknown }> {
    let said: Said | undefined;
    try {
      for await (const { part } of this.core.sessions.executeInSession({ sessionId, sql }, { timeoutMs })) {
        const told = part.value?.part;
        if (told?.case === "summary") said = { transaction: told.value.transactionState, tag: told.value.commandTag };
        if (told?.case === "rejection") said = { transaction: told.value.transactionState, tag: "", problem: problemOfRejection(told.value) };
      }
      return { said };
    } catch (error) {
      return { said, error };
    }
  }
}
