import { useEffect, useState } from "react";
import type { ConnectionSpec } from "../../gen/core/v1/connection_pb.ts";
import { type RunChoices, secondsOf } from "../../state/run_choices.ts";
import type { Run } from "../../state/runs.ts";
import { Button } from "../../ui/Button.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { useApp, usePart } from "../AppContext.ts";

interface RunBarProps {
  readonly tabId: string;
  readonly run: Extract<Run, { kind: "starting" | "running" }>;
  readonly deadline: RunChoices["deadline"];
  readonly spec: ConnectionSpec | undefined;
}

const MORE_SECONDS = 30;
const TICK_MS = 100;

/** How long a run takes, and how long it may. */
export function RunBar({ tabId, run, deadline, spec }: RunBarProps) {
  const app = useApp();
  const isAwaited = usePart(app.runs.waits, (waits) => waits.has(tabId));
  const [now, setNow] = useState(Date.now);
  const [limit, setLimit] = useState(() => secondsOf(deadline, spec));
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const elapsed = Math.max(0, (now - run.startedAt) / 1000);
  const extend = async (by: number | "none") => {
    const answer = await app.runs.extend(tabId, by);
    if (answer === undefined) return;
    if ("message" in answer) app.toasts.fail("It has no more time", answer.message);
    else setLimit(answer.remainingMs === undefined ? undefined : Math.round((Date.now() - run.startedAt + answer.remainingMs) / 1000));
  };
  return (
    <div className="bar thin runbar late" role="status" aria-label="What runs">
      <Spinner />
      <b>{elapsed.toFixed(1)} s</b>
      {isAwaited && <span className="left">Waiting for the session to end</span>}
      {limit !== undefined && run.kind === "running" && (
        <>
          <span className="dl" role="meter" aria-label="Deadline" aria-valuemin={0} aria-valuemax={limit} aria-valuenow={Math.min(limit, elapsed)}>
            <i style={{ width: `${Math.min(100, (elapsed / limit) * 100)}%` }} />
          </span>
          <span className="left hide-phone">
            {Math.max(0, limit - elapsed).toFixed(1)} s left of {limit} s
          </span>
        </>
      )}
      {limit === undefined && <span className="left">no limit</span>}
      <span className="grow" />
      {run.kind === "running" && limit !== undefined && (
        <>
          <Button label={`+${MORE_SECONDS} s`} icon="timer" onClick={() => void extend(MORE_SECONDS)} />
          <Button label="No limit" onClick={() => void extend("none")} />
        </>
      )}
    </div>
  );
}
