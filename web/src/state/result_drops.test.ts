import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { ResultService } from "../gen/core/v1/result_pb.ts";
import { ErrorInfoSchema } from "../gen/google/rpc/error_info_pb.ts";
import { coreOver } from "../transport/core.ts";
import { ResultDrops } from "./result_drops.ts";

beforeEach(() => void vi.useFakeTimers());

const NOT_FOUND = new ConnectError("no such result", Code.NotFound, undefined, [
  { desc: ErrorInfoSchema, value: { domain: "querybox", reason: "RESULT_NOT_FOUND" } },
]);

/** A Core that knows of these results, or is away. */
function page() {
  const known = new Set<string>();
  const gate = { away: false, asked: 0 };
  const transport = createRouterTransport(({ service }) =>
    service(ResultService, {
      dropResult: ({ resultId }) => {
        gate.asked++;
        if (gate.away) throw new ConnectError("Failed to fetch", Code.Unknown);
        if (!known.delete(resultId)) throw NOT_FOUND;
        return {};
      },
    }),
  );
  return { known, gate, drops: new ResultDrops(coreOver(transport)) };
}

const settle = () => vi.advanceTimersByTimeAsync(10);

test("what could not be dropped while Core was away is dropped once it is there", async () => {
  const { known, gate, drops } = page();
  known.add("r");
  gate.away = true;
  await drops.drop("r");
  gate.away = false;
  drops.again();
  await settle();
  drops.again();
  expect([known.size, gate.asked]).toEqual([0, 2]);
});

test("a run that was cancelled before Core knew of it is dropped when it begins, also where nothing tells of that", async () => {
  const told = page();
  told.drops.refuse("r");
  told.known.add("r");
  expect([told.drops.hear("other"), told.drops.hear("r")]).toEqual([false, true]);
  await settle();
  expect(told.known.size).toBe(0);

  const untold = page();
  untold.drops.refuse("r");
  // It is not there yet.
  untold.drops.again();
  await settle();
  untold.known.add("r");
  untold.drops.again();
  await settle();
  expect(untold.known.size).toBe(0);
  untold.drops.again();
  expect(untold.gate.asked).toBe(2);
});

test("a run that never begins is forgotten", async () => {
  const { gate, drops } = page();
  drops.refuse("r");
  await vi.advanceTimersByTimeAsync(600_000);
  drops.again();
  expect([gate.asked, drops.hear("r")]).toEqual([0, false]);
});
