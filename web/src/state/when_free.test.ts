import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { ErrorInfoSchema } from "../gen/google/rpc/error_info_pb.ts";
import { isAborted } from "../transport/problem.ts";
import { whenFree } from "./when_free.ts";

const refusal = (reason: string) =>
  new ConnectError("no", Code.FailedPrecondition, undefined, [{ desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { domain: "querybox", reason }) }]);

test("what a busy session refuses is asked for again, and nothing else is", async () => {
  let calls = 0;
  let waits = 0;
  const call = async () => {
    if (++calls < 3) throw refusal("SESSION_BUSY");
    return "done";
  };
  expect(await whenFree(call, { isWanted: () => true, onWait: () => waits++ })).toBe("done");
  expect([calls, waits]).toEqual([3, 2]);
  await expect(whenFree(() => Promise.reject(refusal("SESSION_ENDED")), { isWanted: () => true })).rejects.toThrow("no");
  await expect(whenFree(() => Promise.reject(refusal("SESSION_BUSY")), { isWanted: () => false })).rejects.toThrow("no");
});

test("a session that is busy for long is asked for less and less often", async () => {
  vi.useFakeTimers();
  let calls = 0;
  let isWanted = true;
  const call = () => {
    calls++;
    return Promise.reject(refusal("SESSION_BUSY"));
  };
  const asked = whenFree(call, { isWanted: () => isWanted, pauseMaxMs: 4_000 }).catch(() => "given up");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(calls).toBe(3);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(calls).toBeLessThan(160);
  isWanted = false;
  await vi.advanceTimersByTimeAsync(4_000);
  expect(await asked).toBe("given up");
  vi.useRealTimers();
});

test("whoever sits and waits hears within a second that a session is free, and at once that the wait is broken off", async () => {
  vi.useFakeTimers();
  const times: number[] = [];
  const begun = Date.now();
  const stop = new AbortController();
  const call = async () => {
    times.push(Date.now() - begun);
    throw refusal("SESSION_BUSY");
  };
  const asked = whenFree(call, { isWanted: () => true, signal: stop.signal }).catch(isAborted);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(times).toEqual([0, 250, 750, 1_750, 2_750, 3_750]);
  stop.abort();
  expect(await asked).toBe(true);
  expect(times.at(-1)).toBe(3_750);
  vi.useRealTimers();
});
