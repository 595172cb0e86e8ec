import type { ResultFailure } from "../../gen/core/v1/result_pb.ts";
import { failureAdvice, failureText } from "../../state/run_view.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/clipboard.ts";
import { Icon } from "../../ui/Icon.tsx";
import { useApp } from "../AppContext.ts";

interface FailureBarProps {
  readonly failure: ResultFailure;
  readonly onRunAgain: () => void;
}

/** The machinery failed under a run: what, and what now. */
export function FailureBar({ failure, onRunAgain }: FailureBarProps) {
  const app = useApp();
  const copy = async () => {
    if (await copyText(`${failureText(failure)}\n${failure.reason}`)) app.toasts.say("The details are copied");
    else app.toasts.fail("The browser did not let the page copy", "");
  };
  return (
    <div className="note-bar" role="alert">
      <Icon name="unplug" />
      <div className="grow">
        <p className="tt">
          {failureText(failure)} <span className="code">{failure.reason}</span>
        </p>
        <p>{failureAdvice(failure)}</p>
        <div className="acts">
          <Button label="Run again" icon="refresh" look="line" onClick={onRunAgain} />
          <Button label="Copy details" icon="copy" onClick={() => void copy()} />
        </div>
      </div>
    </div>
  );
}
