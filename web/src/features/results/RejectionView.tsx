import { type Rejection, TransactionState } from "../../gen/plugin/v1/plugin_pb.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/clipboard.ts";
import { useApp } from "../AppContext.ts";

interface RejectionViewProps {
  readonly rejection: Rejection;
  /** The place in the text that the database named. */
  readonly fault: FaultPlace | undefined;
}

export interface FaultPlace {
  readonly line: number;
  readonly column: number;
  readonly onGo: () => void;
}

/** What the database refused: what, why, and what now. */
export function RejectionView({ rejection, fault }: RejectionViewProps) {
  const app = useApp();
  const lines: readonly (readonly [string, string])[] = [
    ["Detail", rejection.detail],
    ["Hint", rejection.hint],
    ["Context", rejection.context],
    ["Where", fault === undefined ? "" : `line ${fault.line}, column ${fault.column}`],
    ["SQLSTATE", rejection.sqlstate],
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
      <div className="acts">
        {fault !== undefined && <Button label={`Go to line ${fault.line}`} icon="return" look="line" onClick={fault.onGo} />}
        <Button label="Copy error" icon="copy" onClick={() => void copy()} />
      </div>
    </div>
  );
}
