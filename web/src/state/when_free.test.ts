import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { ErrorInfoSchema } from "../gen/google/rpc/error_info_pb.ts";
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
  expect(await whenFree(call, () => true, () => waits++)).toBe("done");
  expect([calls, waits]).toEqual([3, 2]);
  await expect(whenFree(() => Promise.reject(refusal("SESSION_ENDED")), () => true)).rejects.toThrow("no");
  await expect(whenFree(() => Promise.reject(refusal("SESSION_BUSY")), () => false)).rejects.toThrow("no");
});

test("a session that is busy for long is asked for less and less often", async () => {
  vi.useFakeTimers();
  let calls = 0;
  let isWanted = true;
  const call = () => {
    calls++;
    return Promise.reject(refusal("SESSION_BUSY"));
  };
  const asked = whenFree(call, () => isWanted).catch(() => "given up");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(calls).toBe(3);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(calls).toBeLessThan(160);
  isWanted = false;
  await vi.advanceTimersByTimeAsync(4_000);
  expect(await asked).toBe("given up");
  vi.useRealTimers();
});
