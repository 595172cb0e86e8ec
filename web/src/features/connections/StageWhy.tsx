import { TestStage } from "../../gen/plugin/v1/plugin_pb.ts";
import type { StageFailure } from "../../state/connection_test.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/clipboard.ts";
import { useApp } from "../AppContext.ts";

interface StageWhyProps {
  readonly stage: TestStage;
  readonly failure: StageFailure;
  readonly isDialed: boolean;
  readonly onMend: (stage: TestStage) => void;
}

/** What is known once a stage has failed, and what to do now. */
const ADVICE: Readonly<Partial<Record<TestStage, string>>> = {
  [TestStage.DRIVER_START]: "The driver did not start, and nothing was sent anywhere.",
  [TestStage.RESOLVE]: "No machine of this name was found from where QueryBox's server runs. Check how the host is written.",
  [TestStage.DIAL]: "Nothing could be reached there from where QueryBox's server runs, and no password was sent. Check host and port, and that the database runs and lets others in.",
  [TestStage.TLS]: "The server was reached, and no password was sent. Check which TLS it speaks, and who signed its certificate.",
  [TestStage.LOGIN]: "The server was reached and refused this log-in. It was tried once, and nothing is stored.",
  [TestStage.VERSION]: "The log-in went well; then the server did not tell its version. Try again.",
};
const FILE_ADVICE = "The file could not be opened from where QueryBox's server runs. Check its place, and who may read it.";

/** What leads to the field that a stage is about. */
const MEND: Readonly<Partial<Record<TestStage, string>>> = {
  [TestStage.RESOLVE]: "Change the host",
  [TestStage.DIAL]: "Change host or port",
  [TestStage.TLS]: "Change TLS",
  [TestStage.LOGIN]: "Type it again",
};

/** Why a stage failed. */
export function StageWhy({ stage, failure, isDialed, onMend }: StageWhyProps) {
  const app = useApp();
  const message = failure.kind === "rejected" ? failure.rejection.message : failure.message;
  const rejection = failure.kind === "rejected" ? failure.rejection : undefined;
  const meta = [
    rejection?.severity ?? "",
    rejection === undefined ? (failure.kind === "failed" ? failure.reason : "") : codeText(rejection.sqlstate, rejection.vendorCode),
  ].filter((text) => text !== "");
  const isFile = !isDialed && stage === TestStage.DIAL;
  const advice = isFile ? FILE_ADVICE : ADVICE[stage];
  const mend = isFile ? "Change the file" : MEND[stage];
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
      {advice !== undefined && <p>{advice}</p>}
      <div className="acts">
        {mend !== undefined && <Button label={mend} look="line" onClick={() => onMend(stage)} />}
        <Button label="Copy" icon="copy" onClick={() => void copy()} />
      </div>
    </div>
  );
}

function codeText(sqlstate: string, vendorCode: string): string {
  return sqlstate === "" ? vendorCode : `SQLSTATE ${sqlstate}`;
}
