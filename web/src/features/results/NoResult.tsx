import type { Run } from "../../state/runs.ts";
import { Button } from "../../ui/Button.tsx";

/** What stands where no result is. */
export function NoResult({ run, onRunAgain }: { readonly run: Run; readonly onRunAgain: () => void }) {
  if (run.kind === "failed") {
    return (
      <div className="reject" role="alert">
        <p className="msg">{run.problem.message}</p>
        <p className="say wrap">{run.problem.advice}</p>
        <div className="acts">
          <Button label="Run again" icon="refresh" look="line" onClick={onRunAgain} />
        </div>
      </div>
    );
  }
  if (run.kind === "lost") {
    return (
      <div className="reject" role="alert">
        <p className="msg">What ran here was lost</p>
        <p className="say wrap">
          It was asked for, this page heard of no end, and Core does not know it: Core was ended under it, or it never came there. Its rows are gone,
          and nothing was sent again. What it was to change may have happened or not: look before you run it again.
        </p>
        <div className="acts">
          <Button label="Run again" icon="refresh" look="line" onClick={onRunAgain} />
        </div>
      </div>
    );
  }
  return (
    <div className="nothing">
      {run.kind === "gone" && <p>{GONE[run.why]} Run it again to see it.</p>}
      {run.kind === "idle" && <p>Results come here. Nothing is sent before you run it.</p>}
    </div>
  );
}

const GONE: Readonly<Record<Extract<Run, { kind: "gone" }>["why"], string>> = {
  idle: "The result of the last run was not looked at for a long time, and is not kept any more.",
  dropped: "The result of the last run was dropped: by another window, or to make room.",
  unknown: "The result of the last run is not kept any more.",
};
