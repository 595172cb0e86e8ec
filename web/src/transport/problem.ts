import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../gen/google/rpc/error_info_pb.ts";
import type { Rejection } from "../gen/plugin/v1/plugin_pb.ts";

/** A call that failed, as people are told of it. */
export interface Problem {
  /** What happened, as Core says it. */
  readonly message: string;
  /** Why, as the contracts name it. Empty: Core did not say. */
  readonly reason: string;
  /** What to do about it. Empty: nothing that is known. */
  readonly advice: string;
}

const ADVICE: Readonly<Record<string, string>> = {
  CREDENTIAL_MISSING: "Edit the connection and type its password, or let it be asked for each time.",
  SECRET_MISSING: "Type the password: this connection keeps none.",
  CONNECTION_CHANGED: "It was changed elsewhere meanwhile. Open it again to see how it is now.",
  NAME_TAKEN: "Choose another name.",
  PASSWORD_IN_URL: "Leave the password out of the URL and type it into its field.",
  CONNECT_FAILED: "See that the server runs, and that host and port are right.",
  RESOLVE_FAILED: "See that the host's name is right.",
  TLS_FAILED: "See which TLS mode the server needs, and which authority signed its certificate.",
  FILE_UNUSABLE: "See that the path is right and that the file is a database of this kind.",
  MASTER_KEY_MISSING: "Give the server a master key, or let passwords be asked for each time.",
  KEYS_NOT_INITIALIZED: "Run `querybox keys init`, or let passwords be asked for each time.",
  VIEWS_FULL: "Wait until something that is sorted, filtered or counted is done, or close tabs whose results are not needed.",
  RESULT_LIMIT: "Leave rows out by a filter first, or close tabs whose results are not needed.",
  EXPORTS_FULL: "Wait until a download has ended, or cancel one in the browser.",
  EXPORT_UNFIT: "Choose another format.",
  SESSIONS_FULL: "Wait until something that runs has ended, or cancel it.",
};

/** Whether nobody answered at all, rather than that Core refused. */
export function isUnreachable(error: unknown): boolean {
  const { code, metadata } = ConnectError.from(error);
  const isAway = code === Code.Unavailable || code === Code.Unknown || code === Code.DeadlineExceeded;
  // What Core itself says so has a reason with it; a network that is away, and one that swallows a call, have none.
  return isAway && reasonOf(error) === "" && !metadata.has("grpc-status");
}

/** Whether a call was given up here: a network that swallows it, a slow one, or many calls before it. */
export function isOverdue(error: unknown): boolean {
  return isUnreachable(error) && ConnectError.from(error).code === Code.DeadlineExceeded;
}

export function isAborted(error: unknown): boolean {
  return (error instanceof DOMException && error.name === "AbortError") || ConnectError.from(error).code === Code.Canceled;
}

export function isLockedOut(error: unknown): boolean {
  return ConnectError.from(error).code === Code.Unauthenticated;
}

/** The reason that the contracts name. */
export function reasonOf(error: unknown): string {
  for (const info of ConnectError.from(error).findDetails(ErrorInfoSchema)) {
    if (info.domain === "querybox") return info.reason;
  }
  return "";
}

/** What the contracts say beside the reason. */
export function metadataOf(error: unknown): Readonly<Record<string, string>> {
  return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.metadata ?? {};
}

export function problemOf(error: unknown): Problem {
  if (isUnreachable(error)) {
    return { message: "Core does not answer", reason: "", advice: "Nothing was sent again." };
  }
  const reason = reasonOf(error);
  const text = ConnectError.from(error).rawMessage;
  return { message: sentence(text), reason, advice: ADVICE[reason] ?? "" };
}

/** A problem in one line. */
export function sentenceOf({ message, advice }: Problem): string {
  return advice === "" ? message : `${message}. ${advice}`;
}

/** What the database refused, in the words of the database. */
export function problemOfRejection(rejection: Rejection): Problem {
  return {
    message: rejection.message,
    reason: rejection.sqlstate || rejection.vendorCode,
    advice: rejection.hint || rejection.detail,
  };
}

/** Core's messages begin in lower case, for they stand in chains; alone they are sentences. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
