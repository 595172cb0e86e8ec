import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { Action } from "./action.ts";
import { finishTransaction, transactionOf } from "./finish_transaction.ts";

export const rollBack: Action = {
  name: "Roll back the transaction",
  icon: "back",
  enabled: (app) => {
    const transaction = transactionOf(app);
    return transaction === TransactionState.OPEN || transaction === TransactionState.FAILED;
  },
  run: (app) => void finishTransaction(app, "ROLLBACK"),
};
