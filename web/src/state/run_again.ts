import type { Result } from "../gen/core/v1/result_pb.ts";
import type { App } from "./app.ts";
import { leadsTo } from "./leads_to.ts";
import type { Script } from "./runs.ts";
import type { Wanted } from "./scripts.ts";

/** What ran in a tab, and on which connection. */
export interface Ran extends Pick<Wanted, "sql" | "offset" | "bindings"> {
  /** Absent: nobody knows. */
  readonly connectionId: string | undefined;
  /** Where that led. Absent: nobody knows. */
  readonly place?: string;
}

/** Of a longer script Core tells the beginning alone, to the end of a character before 4,096 bytes: this long it may be cut. */
const SQL_KNOWN_BYTES = 4_093;

/** What ran in a tab: after a reload Core alone knows it, and of a long script the beginning. */
export function ranIn(sent: Script | undefined, result: Result | undefined, text: string): Ran | undefined {
  const connectionId = sent?.connectionId ?? (result?.connectionId || undefined);
  if (sent !== undefined) return { ...sent, connectionId };
  const sql = result?.sql ?? "";
  return sql === "" || new TextEncoder().encode(sql).length >= SQL_KNOWN_BYTES ? undefined : { sql, offset: Math.max(0, text.indexOf(sql)), connectionId };
}

/** Why what ran is not run again where its tab is now: nobody sends to one server what was meant for another. */
export function whyNotAgain({ connections }: Pick<App, "connections">, ran: Ran | undefined, connectionId: string): string | undefined {
  if (ran === undefined) return "What ran here is not known any more. Run it from the editor.";
  if (ran.connectionId === undefined) return undefined;
  if (ran.connectionId === connectionId) {
    const spec = connections.find(connectionId)?.spec;
    const isSame = ran.place === undefined || spec === undefined || ran.place === leadsTo(spec);
    return isSame ? undefined : "The connection was changed since this ran. Run the statement at the cursor.";
  }
  const nameOf = (id: string) => connections.find(id)?.spec?.name;
  const [there, here] = [nameOf(ran.connectionId), nameOf(connectionId) ?? "none"];
  return there === undefined
    ? "This ran on a connection that is gone. Run the statement at the cursor."
    : `This ran on ${there}; the tab is on ${here} now. Put the tab back on ${there}, or run the statement at the cursor.`;
}
