import { type Rejection, TransactionState } from "../../gen/plugin/v1/plugin_pb.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/clipboard.ts";
import { notRunText } from "../../state/run_view.ts";
import { sqlstateText } from "../../state/sqlstates.ts";
import { goToFault } from "../../actions/go_to_fault.ts";
import { useApp, useKeys } from "../AppContext.ts";

interface RejectionViewProps {
  readonly rejection: Rejection;
  /** The place in the text that the database named. */
  readonly fault: FaultPlace | undefined;
  /** Statements that did not run because of it. */
  readonly notRun: number;
}

export interface FaultPlace {
  readonly line: number;
  readonly column: number;
  readonly onGo: () => void;
}

/** What the database refused: what, why, and what now. */
export function RejectionView({ rejection, fault, notRun }: RejectionViewProps) {
  const app = useApp();
  const keysOf = useKeys();
  const lines: readonly (readonly [string, string])[] = [
    ["Detail", rejection.detail],
    ["Hint", rejection.hint],
    ["Context", rejection.context],
    ["Where", fault === undefined ? "" : `line ${fault.line}, column ${fault.column}`],
    ["SQLSTATE", sqlstateText(rejection.sqlstate)],
    ["Code", rejection.vendorCode],
  ];
  const said = lines.filter(([, text]) => text !== "");
  const copy = async () => {
    const text = [rejection.message, ...said.map(([name, line]) => `${name}: ${line}`)].join("\n");
    if (await copyText(text)) app.toasts.say("The error is copied");
  };
  return (
    <div className="reject" role="alert">
      <p className="code msg">{rejection.message}</p>
      <dl>
        {said.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="code">{text}</dd>
          </div>
        ))}
      </dl>
      {rejection.transactionState === TransactionState.FAILED && (
        <p className="say wrap">The transaction can only be rolled back now.</p>
      )}
      {rejection.rolledBackAtEnd && <p className="say wrap">The script ended inside a transaction, which was rolled back.</p>}
      {notRun > 0 && <p className="say wrap">{notRunText(notRun)}.</p>}
      <div className="acts">
        {fault !== undefined && <Button label={`Go to line ${fault.line}`} icon="return" look="line" keys={keysOf(goToFault)} onClick={fault.onGo} />}
        <Button label="Copy error" icon="copy" onClick={() => void copy()} />
      </div>
    </div>
  );
}
