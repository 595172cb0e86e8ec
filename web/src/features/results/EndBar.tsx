import type { Result, ResultFailure } from "../../gen/core/v1/result_pb.ts";
import { TransactionState } from "../../gen/plugin/v1/plugin_pb.ts";
import { milliseconds, spanText } from "../../state/connection_test.ts";
import { type Ending, rowsText } from "../../state/endings.ts";
import { failureAdvice, failureText } from "../../state/run_view.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/clipboard.ts";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { useApp } from "../AppContext.ts";

interface EndBarProps {
  readonly result: Result;
  /** Absent: the machinery failed. */
  readonly ending: Ending | undefined;
  readonly failure: ResultFailure | undefined;
  readonly onRunAgain: () => void;
}

const LOOKS: Readonly<Record<Ending["why"], readonly [string, IconName]>> = {
  cancelled: ["note-bar quiet", "stop"],
  deadline: ["note-bar warn", "timer"],
  lost: ["note-bar", "unplug"],
};

/** Why a run was over before its end: what, why, and what now. */
export function EndBar({ result, ending, failure, onRunAgain }: EndBarProps) {
  const app = useApp();
  const title = titleOf(result, ending, failure);
  const said = ending?.rejection?.message ?? (ending?.why === "lost" && failure !== undefined ? failureText(failure) : "");
  const code = ending?.why === "cancelled" ? "" : ending?.rejection?.sqlstate || (failure?.reason ?? "");
  const advice = adviceOf(result, ending, failure);
  const copy = async () => {
    const lines = [title, said, advice, code].filter((line) => line !== "");
    if (await copyText(lines.join("\n"))) app.toasts.say("The details are copied");
    else app.toasts.fail("The browser did not let the page copy", "");
  };
  const [look, icon] = LOOKS[ending?.why ?? "lost"];
  return (
    <div className={look} role={ending?.why === "cancelled" ? "status" : "alert"}>
      <Icon name={icon} />
      <div className="grow">
        <p className="tt">
          {title} <span className="code">{code}</span>
        </p>
        {said !== "" && ending?.why === "lost" && <p className="code msg2">{said}</p>}
        <p>{advice}</p>
        <div className="acts">
          <Button label={ending?.why === "lost" ? "Connect and run again" : "Run again"} icon="refresh" look="line" onClick={onRunAgain} />
          {ending?.why !== "cancelled" && <Button label="Copy details" icon="copy" onClick={() => void copy()} />}
        </div>
      </div>
    </div>
  );
}

function titleOf(result: Result, ending: Ending | undefined, failure: ResultFailure | undefined): string {
  const after = spanText(milliseconds(result.elapsed));
  switch (ending?.why) {
    case "cancelled":
      return `Cancelled after ${after}`;
    case "deadline":
      return `Stopped by the deadline after ${after}`;
    case "lost":
      return "The server closed the connection";
    case undefined:
      return failure === undefined ? "" : failureText(failure);
  }
}

function adviceOf(result: Result, ending: Ending | undefined, failure: ResultFailure | undefined): string {
  if (ending === undefined) return failure === undefined ? "" : failureAdvice(failure);
  const words: string[] = [];
  const { rejection, statement, why } = ending;
  if (why === "lost" && rejection !== undefined && rejection.transactionState !== TransactionState.IDLE && rejection.transactionState !== TransactionState.UNSPECIFIED) {
    words.push("The open transaction was rolled back by the server.");
  }
  if (statement !== undefined && statement.rowCount > 0n) words.push(`${rowsText(statement.rowCount)} had arrived and are kept.`);
  if (why === "lost") words.push("The statement was not sent again.");
  if (why === "deadline") words.push("Give it more time by the clock in the toolbar.");
  if (why === "cancelled" && words.length === 0) words.push(statement === undefined && result.statementCount > 0 ? "What had ended before is kept." : "No rows had arrived.");
  return words.join(" ");
}
