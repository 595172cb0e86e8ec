import { FormFieldRole, TestStage } from "../gen/plugin/v1/plugin_pb.ts";
import type { StageFailure } from "./connection_test.ts";

/** What to do about a stage that failed. */
export interface StageAdvice {
  /** What is known by now, for people. Empty: nothing more than the failure says. */
  readonly text: string;
  /** What leads to a field: the first that has one of the roles. Absent: it lies at no field. */
  readonly mend?: { readonly label: string; readonly roles: readonly FormFieldRole[] };
}

const ADVICE: Readonly<Partial<Record<TestStage, StageAdvice>>> = {
  [TestStage.DRIVER_START]: { text: "The driver did not start, and nothing was sent anywhere." },
  [TestStage.RESOLVE]: {
    text: "No machine of this name was found from where QueryBox's server runs. Check how the host is written.",
    mend: { label: "Change the host", roles: [FormFieldRole.HOST] },
  },
  [TestStage.DIAL]: {
    text: "Nothing could be reached there from where QueryBox's server runs, and no password was sent. Check host and port, and that the database runs and lets others in.",
    mend: { label: "Change host or port", roles: [FormFieldRole.HOST] },
  },
  [TestStage.TLS]: {
    text: "The server was reached, and no password was sent. Check which TLS it speaks, and who signed its certificate.",
    mend: { label: "Change TLS", roles: [FormFieldRole.TLS] },
  },
  [TestStage.VERSION]: { text: "The log-in went well; then the server did not tell its version. Try again." },
};
const FILE: StageAdvice = {
  text: "The file could not be opened from where QueryBox's server runs. Check its place, and who may read it.",
  mend: { label: "Change the file", roles: [FormFieldRole.FILE] },
};

const REFUSED: StageAdvice = {
  text: "The server was reached and refused this log-in. It was tried once, and nothing is stored.",
  mend: { label: "Type it again", roles: [FormFieldRole.PASSWORD] },
};
const NO_DATABASE: StageAdvice = {
  text: "The server was reached, and has no database of this name. Check how it is written.",
  mend: { label: "Change the database", roles: [FormFieldRole.DATABASE] },
};
const NOT_LET_IN: StageAdvice = { text: "The server was reached, and let no session begin. What it says is not about the password. Mend what it names, and test again." };
const UNFINISHED: StageAdvice = { text: "The server was reached, and the log-in did not come to its end: nobody knows whether the password is right. Test again." };

/** Classes of SQLSTATE that say what a log-in failed of. */
const LOGINS: Readonly<Record<string, StageAdvice>> = { "28": REFUSED, "3D": NO_DATABASE };

/** What is known once a stage has failed, and what to do now. */
export function adviceOf(stage: TestStage, failure: StageFailure, isDialed: boolean): StageAdvice {
  if (stage === TestStage.LOGIN) return failure.kind === "failed" ? UNFINISHED : (LOGINS[failure.rejection.sqlstate.slice(0, 2)] ?? NOT_LET_IN);
  if (stage === TestStage.DIAL && !isDialed) return FILE;
  return ADVICE[stage] ?? { text: "" };
}
