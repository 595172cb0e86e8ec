import { CancelReceipt } from "../gen/core/v1/session_pb.ts";

/** What became of a cancel, for people. */
export function receiptText(receipt: CancelReceipt, ms: number): string {
  switch (receipt) {
    case CancelReceipt.CONFIRMED:
      return `The database stopped after ${Math.round(ms)} ms`;
    case CancelReceipt.ALREADY_DONE:
      return "Nothing was running any more";
    case CancelReceipt.KILLED:
      return "The database did not answer, and the driver was ended";
    case CancelReceipt.UNSPECIFIED:
      return "";
  }
}
