import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DraftService } from "../gen/core/v1/draft_pb.ts";
import { EventService } from "../gen/core/v1/event_pb.ts";
import { ResultService } from "../gen/core/v1/result_pb.ts";
import { ANSWERS_MS, coreOver } from "./core.ts";
import { isUnreachable } from "./problem.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = () => new Promise<never>(() => undefined);

/** A network that swallows what is sent. */
const core = coreOver(
  createRouterTransport(({ service }) => {
    service(DraftService, { getDraft: never });
    service(ResultService, { run: never });
    service(EventService, {
      async *watchEvents() {
        await never();
        yield {};
      },
    });
  }),
);

test("a call that nobody answers fails as one that reached nobody, and what may take long does not", async () => {
  const failures: unknown[] = [];
  const hear = (error: unknown) => void failures.push(error);
  core.drafts.getDraft({ draftId: "d" }).catch(hear);
  await vi.advanceTimersByTimeAsync(ANSWERS_MS - 100);
  expect(failures).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(failures.map(isUnreachable)).toEqual([true]);
  core.results.run({}).catch(hear);
  core.events.watchEvents({})[Symbol.asyncIterator]().next().catch(hear);
  // Who says how long it may take is asked by that.
  core.drafts.getDraft({ draftId: "d" }, { timeoutMs: 10 * ANSWERS_MS }).catch(hear);
  await vi.advanceTimersByTimeAsync(5 * ANSWERS_MS);
  expect(failures).toHaveLength(1);
});

test("what Core itself gives up reached it", () => {
  expect(isUnreachable(new ConnectError("too long", Code.DeadlineExceeded, { "grpc-status": "4" }))).toBe(false);
});
