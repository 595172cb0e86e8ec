import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { Action } from "./action.ts";
import { finishTransaction, transactionOf } from "./finish_transaction.ts";

export const commit: Action = {
  name: "Commit the transaction",
  icon: "check",
  enabled: (app) => transactionOf(app) === TransactionState.OPEN,
  run: (app) => void finishTransaction(app, "COMMIT"),
};
