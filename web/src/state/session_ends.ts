import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import { isUnreachable } from "../transport/problem.ts";
import type { LinkKeeper } from "./link.ts";
import { isKnown } from "./tab_session.ts";
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
      let left: TransactionState = TransactionState.IDLE;
      // What still runs there is being cancelled.
      await whenFree(async () => {
        for await (const { part } of this.core.sessions.executeInSession({ sessionId, sql: "ROLLBACK" }, { timeoutMs: Math.max(1, until - Date.now()) })) {
          const said = part.value?.part;
          if (said?.case === "summary" || said?.case === "rejection") left = said.value.transactionState;
        }
      }, { isWanted: () => Date.now() < until });
      return !isKnown(left);
    } catch (error) {
      this.link.hear(error);
      return false;
    }
  }
}
