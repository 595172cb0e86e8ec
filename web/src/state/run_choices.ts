import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectionSpec } from "../gen/core/v1/connection_pb.ts";
import type { ExecuteOptionsSchema } from "../gen/core/v1/query_pb.ts";
import { OnError } from "../gen/plugin/v1/plugin_pb.ts";

/** What a tab chooses for its runs. `connection`: as the connection says. 0 rows: all of them. */
export interface RunChoices {
  readonly deadline: "connection" | "none" | number;
  readonly rows: "connection" | number;
  /** What follows a statement that is refused. Absent: none of those behind it runs. */
  readonly onError?: "go-on";
}

/** What a tab begins with. */
export const AS_CONNECTION: RunChoices = { deadline: "connection", rows: "connection" };
/** To Core no limit is what the connection says; this one lifts that too. */
const MORE_THAN_ANY = 2n ** 53n;
/** Time that Core gives where nobody says anything. */
const CORE_SECONDS = 30;

export function optionsOf({ deadline, rows, onError }: RunChoices): MessageInitShape<typeof ExecuteOptionsSchema> {
  return {
    onError: onError === "go-on" ? OnError.CONTINUE : OnError.STOP,
    ...(rows === "connection" ? {} : { rowsMax: rows === 0 ? MORE_THAN_ANY : BigInt(rows) }),
    ...(deadline === "connection"
      ? {}
      : {
          deadline: {
            limit:
              deadline === "none"
                ? { case: "none" as const, value: {} }
                : { case: "after" as const, value: { seconds: BigInt(deadline), nanos: 0 } },
          },
        }),
  };
}

/** Seconds that a run may take. `undefined`: as long as it takes. */
export function secondsOf(deadline: RunChoices["deadline"], spec: ConnectionSpec | undefined): number | undefined {
  if (deadline === "none") return undefined;
  if (deadline !== "connection") return deadline;
  const limit = spec?.deadline?.limit;
  if (limit?.case === "none") return undefined;
  return limit?.case === "after" ? Number(limit.value.seconds) + limit.value.nanos / 1e9 : CORE_SECONDS;
}

export function secondsText(seconds: number | undefined): string {
  if (seconds === undefined) return "No limit";
  return seconds >= 120 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

export function rowsText(rows: RunChoices["rows"], spec: ConnectionSpec | undefined): string {
  const most = rows === "connection" ? spec?.rowsMax : BigInt(rows);
  return most === undefined || most === 0n ? "All rows" : `${most.toLocaleString("en-US")} rows`;
}
