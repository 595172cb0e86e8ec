import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ExecuteOptionsSchema } from "../gen/core/v1/query_pb.ts";
import type { RunRequestSchema } from "../gen/core/v1/result_pb.ts";
import type { Place } from "./leases.ts";
import type { Script } from "./runs.ts";

export type Options = Omit<MessageInitShape<typeof ExecuteOptionsSchema>, "$typeName">;

const FIRST_ROWS = 200;

/** What Core is asked for when a script is run. */
export function requestOf(place: Place, resultId: string, { sql, bindings = [] }: Script, options: Options, frontEndId: string): MessageInitShape<typeof RunRequestSchema> {
  return {
    resultId,
    target: "connection" in place ? { case: "connection", value: place.connection } : { case: "sessionId", value: place.sessionId },
    sql,
    options: { ...options, columnFacts: true, bindings: bindings.map(({ name, value }) => (value === null ? { name } : { name, text: value })) },
    frontEndId,
    page: { rowCount: FIRST_ROWS, cellBytesMax: 512 },
  };
}
