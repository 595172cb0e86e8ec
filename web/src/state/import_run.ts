import type { Imported } from "./import_connections.ts";
import type { FoundConnection } from "./import_text.ts";

/** Imports one after the other, until it is stopped: the one that is on its way then is still told. */
export async function importAll(
  wanted: readonly FoundConnection[],
  importOne: (one: FoundConnection) => Promise<Imported>,
  tell: (one: FoundConnection, became: Imported) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const one of wanted) {
    if (signal.aborted) return;
    tell(one, await importOne(one));
  }
}
