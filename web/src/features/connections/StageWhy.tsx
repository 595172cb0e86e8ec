import type { FormFieldRole, TestStage } from "../../gen/plugin/v1/plugin_pb.ts";
import type { StageFailure } from "../../state/connection_test.ts";
import { adviceOf } from "../../state/stage_advice.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/clipboard.ts";
import { useApp } from "../AppContext.ts";

interface StageWhyProps {
  readonly stage: TestStage;
  readonly failure: StageFailure;
  readonly isDialed: boolean;
  /** Leads to the first field of these roles. */
  readonly onMend: (roles: readonly FormFieldRole[]) => void;
}

/** Why a stage failed. */
export function StageWhy({ stage, failure, isDialed, onMend }: StageWhyProps) {
  const app = useApp();
  const message = failure.kind === "rejected" ? failure.rejection.message : failure.message;
  const rejection = failure.kind === "rejected" ? failure.rejection : undefined;
  const meta = [
    rejection?.severity ?? "",
    rejection === undefined ? (failure.kind === "failed" ? failure.reason : "") : codeText(rejection.sqlstate, rejection.vendorCode),
  ].filter((text) => text !== "");
  const { text, mend } = adviceOf(stage, failure, isDialed);
  const lines = [message, ...meta, rejection?.detail ?? "", rejection?.hint ?? ""].filter((text) => text !== "");
  const copy = async () => {
    if (await copyText(lines.join("\n"))) app.toasts.say("The error is copied");
    else app.toasts.fail("The browser did not let the page copy", "");
  };
  return (
    <div className="why" role="alert">
      <p className="msg code">{message}</p>
      {meta.length > 0 && <p className="meta">{meta.join(" · ")}</p>}
      {rejection !== undefined && rejection.detail !== "" && <p>{rejection.detail}</p>}
      {rejection !== undefined && rejection.hint !== "" && <p>{rejection.hint}</p>}
      {text !== "" && <p>{text}</p>}
      <div className="acts">
        {mend !== undefined && <Button label={mend.label} look="line" onClick={() => onMend(mend.roles)} />}
        <Button label="Copy" icon="copy" onClick={() => void copy()} />
      </div>
    </div>
  );
}

function codeText(sqlstate: string, vendorCode: string): string {
  return sqlstate === "" ? vendorCode : `SQLSTATE ${sqlstate}`;
}
