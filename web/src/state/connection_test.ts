import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type { ConnectionSpecSchema } from "../gen/core/v1/connection_pb.ts";
import { type Rejection, TestStage } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import { type Problem, problemOf } from "../transport/problem.ts";
import { makeUuidV7 } from "../transport/uuid.ts";

/** A stage of a test, as far as it has come. */
export interface StageOutcome {
  readonly stage: TestStage;
  readonly ms: number;
  readonly detail: string;
  readonly failure: StageFailure | undefined;
}

export type StageFailure =
  | { readonly kind: "rejected"; readonly rejection: Rejection }
  | { readonly kind: "failed"; readonly reason: string; readonly message: string };

export type TestRun =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly stages: readonly StageOutcome[] }
  | { readonly kind: "passed"; readonly stages: readonly StageOutcome[] }
  | { readonly kind: "failed"; readonly stages: readonly StageOutcome[] }
  /** Core itself did not try. */
  | { readonly kind: "refused"; readonly problem: Problem };

export const STAGE_NAMES: Readonly<Record<TestStage, string>> = {
  [TestStage.UNSPECIFIED]: "Stage",
  [TestStage.DRIVER_START]: "Driver start",
  [TestStage.RESOLVE]: "Resolve",
  [TestStage.DIAL]: "Dial",
  [TestStage.TLS]: "TLS",
  [TestStage.LOGIN]: "Log in",
  [TestStage.VERSION]: "Server version",
};

export interface TestSubject {
  readonly target:
    | { readonly case: "unsaved"; readonly value: MessageInitShape<typeof ConnectionSpecSchema> }
    | { readonly case: "connection"; readonly value: { readonly key: { readonly case: "id"; readonly value: string } } };
  readonly secrets: Readonly<Record<string, string>>;
}

/** Tries a connection, and tells of each stage as it ends. */
export async function* testConnection(core: Core, subject: TestSubject, signal: AbortSignal): AsyncGenerator<TestRun> {
  let stages: readonly StageOutcome[] = [];
  yield { kind: "running", stages };
  const fields = Object.entries(subject.secrets)
    .filter(([, text]) => text !== "")
    .map(([name, text]) => ({ name, value: new TextEncoder().encode(text) }));
  try {
    const request = {
      sessionId: makeUuidV7(),
      target: subject.target as never,
      ...(fields.length === 0 ? {} : { credential: { fields } }),
    };
    for await (const { stage } of core.connections.testConnection(request, { signal })) {
      if (stage === undefined) continue;
      const failure: StageFailure | undefined =
        stage.outcome.case === "rejection"
          ? { kind: "rejected", rejection: stage.outcome.value }
          : stage.outcome.case === "failed"
            ? { kind: "failed", reason: stage.outcome.value.reason, message: stage.outcome.value.message }
            : undefined;
      stages = [...stages, { stage: stage.stage, ms: milliseconds(stage.elapsed), detail: stage.detail, failure }];
      yield failure === undefined ? { kind: "running", stages } : { kind: "failed", stages };
      if (failure !== undefined) return;
    }
    yield { kind: "passed", stages };
  } catch (error) {
    if (!signal.aborted) yield { kind: "refused", problem: problemOf(error) };
  }
}

export function milliseconds(duration: Duration | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

/** `3.1 ms`, `1.42 s`. */
export function spanText(ms: number): string {
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
