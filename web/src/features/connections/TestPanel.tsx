import { useEffect, useState } from "react";
import { type FormFieldRole, TestStage } from "../../gen/plugin/v1/plugin_pb.ts";
import { spanText, STAGE_NAMES, type StageOutcome, type TestRun } from "../../state/connection_test.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { StageWhy } from "./StageWhy.tsx";

const ALL: readonly TestStage[] = [
  TestStage.DRIVER_START,
  TestStage.RESOLVE,
  TestStage.DIAL,
  TestStage.TLS,
  TestStage.LOGIN,
  TestStage.VERSION,
];

/** The stages of a driver that opens a file and reaches no network. */
const OF_FILES: ReadonlySet<TestStage> = new Set([TestStage.DRIVER_START, TestStage.DIAL, TestStage.VERSION]);

interface TestPanelProps {
  readonly run: TestRun;
  /** The form was changed since. */
  readonly isOld: boolean;
  /** Whether the driver reaches a network. */
  readonly isDialed: boolean;
  /** Leads to the field that a failed stage is about. */
  readonly onMend: (roles: readonly FormFieldRole[]) => void;
}

/** How a test of a connection goes, stage by stage. */
export function TestPanel({ run, isOld, isDialed, onMend }: TestPanelProps) {
  const elapsed = useElapsed(run.kind === "running");
  const stages = run.kind === "idle" || run.kind === "refused" ? [] : run.stages;
  const total = stages.reduce((sum, stage) => sum + stage.ms, 0);
  const failed = run.kind === "failed" ? stages.at(-1) : undefined;
  const reached = stages.at(-1)?.stage ?? 0;
  const left = run.kind === "running" || run.kind === "failed" ? ALL.filter((stage) => stage > reached && (isDialed || OF_FILES.has(stage))) : [];
  let before = 0;
  return (
    <section className="test" aria-label="Test" aria-live="polite">
      <div className="th">
        <b>Test</b>
        {run.kind === "running" && <Spinner />}
        {run.kind === "passed" && (
          <span className="outcome good">
            <Icon name="check" />
            Connected
          </span>
        )}
        {failed !== undefined && (
          <span className="outcome">
            <Icon name="error" />
            Failed at {stageInSentence(failed.stage)}
          </span>
        )}
        {run.kind === "running" ? (
          <span className="tm late" aria-hidden="true">
            {spanText(elapsed)}
          </span>
        ) : (
          stages.length > 0 && <span className="tm">{spanText(total)}</span>
        )}
      </div>
      {isOld && (run.kind === "passed" || run.kind === "failed") && <p className="say wrap old">This is how the form was before its last change.</p>}
      {run.kind === "idle" && (
        <p className="say wrap">A test starts the driver, reaches the server, logs in, and tells how long each stage took. Nothing is saved.</p>
      )}
      {run.kind === "refused" && (
        <div className="why" role="alert">
          <p className="msg">{run.problem.message}</p>
          <p>{run.problem.advice}</p>
        </div>
      )}
      <ol>
        {stages.map((stage) => {
          const left = total === 0 ? 0 : Math.min(99, (before / total) * 100);
          before += stage.ms;
          return <Stage key={stage.stage} stage={stage} left={left} width={total === 0 ? 0 : (stage.ms / total) * 100} isDialed={isDialed} onMend={onMend} />;
        })}
        {left.map((stage, index) => (
          <li className="stage skip" key={stage}>
            <span className="dot">{run.kind === "running" && index === 0 ? <Spinner /> : <Icon name="dash" small />}</span>
            <div className="sl">
              <b>{STAGE_NAMES[stage]}</b>
              <span className="tm nr">{run.kind === "failed" ? "not reached" : ""}</span>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

interface StageProps {
  readonly stage: StageOutcome;
  readonly left: number;
  readonly width: number;
  readonly isDialed: boolean;
  readonly onMend: (roles: readonly FormFieldRole[]) => void;
}

function Stage({ stage, left, width, isDialed, onMend }: StageProps) {
  const { failure } = stage;
  return (
    <li className={failure === undefined ? "stage ok" : "stage bad"}>
      <span className="dot">
        <Icon name={failure === undefined ? "check" : "fail"} small />
      </span>
      <div>
        <div className="sl">
          <b>{STAGE_NAMES[stage.stage]}</b>
          <span className="sr">{failure === undefined ? "done" : "failed"}</span>
          <span className="tm">{spanText(stage.ms)}</span>
        </div>
        <div className="track">
          <i className="wf" style={{ left: `${left}%`, width: `${Math.max(width, 1)}%` }} />
        </div>
        {failure === undefined && stage.detail !== "" && <p title={stage.detail}>{stage.detail}</p>}
        {failure !== undefined && <StageWhy stage={stage.stage} failure={failure} isDialed={isDialed} onMend={onMend} />}
      </div>
    </li>
  );
}

/** TLS stays TLS in the middle of a sentence. */
function stageInSentence(stage: TestStage): string {
  return stage === TestStage.TLS ? STAGE_NAMES[stage] : STAGE_NAMES[stage].toLowerCase();
}

/** Milliseconds since something has begun, while it goes on. */
function useElapsed(isOn: boolean): number {
  const [span, setSpan] = useState(0);
  useEffect(() => {
    if (!isOn) return;
    const begun = Date.now();
    setSpan(0);
    const timer = setInterval(() => setSpan(Date.now() - begun), 100);
    return () => clearInterval(timer);
  }, [isOn]);
  return span;
}
