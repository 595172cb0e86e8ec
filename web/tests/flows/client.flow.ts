import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { expect, test } from "vitest";
import { EndCause, type ExecuteResponse, QueryService } from "../../src/gen/core/v1/query_pb.ts";
import { CancelReceipt, SessionService } from "../../src/gen/core/v1/session_pb.ts";
import { makeUuidV7 } from "../../src/transport/uuid.ts";
import { PATIENCE_MS, useHouse } from "./house.ts";

/** A client of gRPC-web that knows nothing but the contracts, and no page. */
const house = useHouse();

/** Rows without an end, or with one. */
const rows = (count: bigint) => `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count}) select i from n`;
const ENDLESS = 10n ** 15n;

function clients(token?: string) {
  const shown = token ?? readFileSync(join(house().home, "token"), "utf8").trim();
  const transport = createGrpcWebTransport({
    baseUrl: house().url,
    defaultTimeoutMs: PATIENCE_MS * 2,
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${shown}`);
        return next(request);
      },
    ],
  });
  return { queries: createClient(QueryService, transport), sessions: createClient(SessionService, transport) };
}

function ask(sql: string) {
  return { sessionId: makeUuidV7(), connection: { key: { case: "name", value: "sample" } }, sql } as const;
}

/** What a part is, in the words of the contract. */
function kindOf({ part }: ExecuteResponse): string {
  return part.case === "result" ? (part.value.part.case ?? "nothing") : (part.case ?? "nothing");
}

test("a client of gRPC-web streams a query, part by part in the order of the contract", async () => {
  const kinds: string[] = [];
  let count = 0;
  let cause: EndCause | undefined;
  for await (const answer of clients().queries.execute(ask(rows(200_000n)))) {
    kinds.push(kindOf(answer));
    if (answer.part.case === "result" && answer.part.value.part.case === "batch") count += answer.part.value.part.value.rowCount;
    if (answer.part.case === "ended") cause = answer.part.value.cause;
  }
  expect(kinds.slice(0, 2)).toEqual(["session", "header"]);
  expect(kinds.slice(-2)).toEqual(["summary", "ended"]);
  expect(kinds.filter((kind) => kind === "batch").length).toBeGreaterThan(1);
  expect(count).toBe(200_000);
  expect(cause).toBe(EndCause.DONE);
});

test("what the database refuses is a part of the stream, and what Core refuses is a code", async () => {
  const kinds: string[] = [];
  let message = "";
  for await (const answer of clients().queries.execute(ask("select 1; selec 2"))) {
    kinds.push(kindOf(answer));
    if (answer.part.case === "result" && answer.part.value.part.case === "rejection") message = answer.part.value.part.value.message;
  }
  expect(kinds.slice(-2)).toEqual(["rejection", "ended"]);
  expect(message).toContain("syntax error");
  const refusal = async (token: string | undefined, asked: ReturnType<typeof ask>) => {
    try {
      for await (const answer of clients(token).queries.execute(asked)) expect(kindOf(answer)).toBe("nothing");
    } catch (error) {
      return ConnectError.from(error).code;
    }
    return undefined;
  };
  expect(await refusal("wrong", ask("select 1"))).toBe(Code.Unauthenticated);
  const unknown = { ...ask("select 1"), connection: { key: { case: "name", value: "nothing" } } } as unknown as ReturnType<typeof ask>;
  expect(await refusal(undefined, unknown)).toBe(Code.NotFound);
});

test("what runs is stopped by a call that has a receipt, or by giving its stream up", async () => {
  const { queries, sessions } = clients();
  const asked = ask(rows(ENDLESS).replace("select i from n", "select count(*) from n"));
  let last = "";
  let cause: EndCause | undefined;
  let receipt: CancelReceipt | undefined;
  try {
    for await (const answer of queries.execute(asked)) {
      last = kindOf(answer);
      if (last === "session") ({ receipt } = await sessions.cancelSession({ sessionId: asked.sessionId }));
      if (answer.part.case === "ended") cause = answer.part.value.cause;
    }
    expect([last, cause, receipt]).toEqual(["ended", EndCause.CANCELLED, CancelReceipt.CONFIRMED]);
  } catch (error) {
    // On a machine that is busy the database may be too slow to answer, and its driver is killed.
    expect([ConnectError.from(error).code, receipt]).toEqual([Code.Canceled, CancelReceipt.KILLED]);
  }

  const gone = new AbortController();
  const giveUp = async () => {
    for await (const answer of queries.execute(ask(rows(ENDLESS)), { signal: gone.signal })) if (kindOf(answer) === "batch") gone.abort();
  };
  await expect(giveUp()).rejects.toThrow();
  await expect.poll(async () => (await sessions.listSessions({})).sessions.length, { timeout: PATIENCE_MS }).toBe(0);
});
