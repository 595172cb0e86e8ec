import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FormFieldRole, RejectionSchema, TestStage } from "../gen/plugin/v1/plugin_pb.ts";
import type { StageFailure } from "./connection_test.ts";
import { adviceOf } from "./stage_advice.ts";

const rejected = (sqlstate: string): StageFailure => ({ kind: "rejected", rejection: create(RejectionSchema, { sqlstate, message: "no" }) });
const failed: StageFailure = { kind: "failed", reason: "CONNECT_FAILED", message: "the time is over" };
const login = (failure: StageFailure) => adviceOf(TestStage.LOGIN, failure, true);

test("a refused log-in leads to its password, and no other failure does", () => {
  for (const sqlstate of ["28P01", "28000"]) expect(login(rejected(sqlstate)).mend?.roles).toEqual([FormFieldRole.PASSWORD]);
  expect(login(rejected("3D000")).mend).toEqual({ label: "Change the database", roles: [FormFieldRole.DATABASE] });
  // Too many sessions, a server that starts, start-up SQL, a server that gives no code, and a log-in without an end.
  for (const failure of [rejected("53300"), rejected("57P03"), rejected("42601"), rejected(""), failed]) {
    expect(login(failure).mend).toBeUndefined();
    expect(login(failure).text).not.toMatch(/refused/);
    expect(login(failure).text).toMatch(/test again\.$/i);
  }
});

test("what dials nothing leads to its file", () => {
  expect(adviceOf(TestStage.DIAL, failed, false).mend?.roles).toEqual([FormFieldRole.FILE]);
  expect(adviceOf(TestStage.DIAL, failed, true).mend?.roles).toEqual([FormFieldRole.HOST]);
});
