import type { Rejection } from "../gen/plugin/v1/plugin_pb.ts";
import type { App } from "./app.ts";
import type { Place } from "./leases.ts";
import { whenFree } from "./when_free.ts";

/** A session in which something else runs is waited for this long: whoever wants to copy something waits for it. */
const FREE_MS = 10_000;

/** What a database says of how an object is made. */
export type Ddl =
  | { readonly kind: "read"; readonly sql: string; readonly leftOut: readonly string[] }
  | { readonly kind: "rejected"; readonly rejection: Rejection };

/** Reads how an object is made. `undefined`: the user did not give the password. */
export async function ddlOf(
  { core, leases }: Pick<App, "core" | "leases">,
  connectionId: string,
  object: { readonly schema: string; readonly name: string },
): Promise<Ddl | undefined> {
  let where: Place | undefined;
  let begun: number | undefined;
  const read = async (): Promise<Ddl | undefined> => {
    where = await leases.place(connectionId);
    if (where === undefined) return undefined;
    begun ??= Date.now();
    let [sql, leftOut]: [string, readonly string[]] = ["", []];
    for await (const { part } of core.schema.getDdl({ ...where, objects: [object] })) {
      const rejection = part.case === "rejection" ? part.value : part.value?.rejection;
      if (rejection !== undefined) return { kind: "rejected", rejection };
      for (const ddl of part.case === "ddl" ? part.value.ddl : []) {
        sql += ddl.sql + ddl.tiesSql;
        leftOut = [...leftOut, ...ddl.leftOut];
      }
    }
    return { kind: "read", sql, leftOut };
  };
  try {
    return await whenFree(read, { isWanted: () => begun === undefined || Date.now() - begun < FREE_MS });
  } catch (error) {
    if (where !== undefined) leases.hear(where.sessionId, error);
    throw error;
  }
}
