import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
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
