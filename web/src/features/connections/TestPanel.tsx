import { TestStage } from "../../gen/plugin/v1/plugin_pb.ts";
import { spanText, STAGE_NAMES, type StageFailure, type StageOutcome, type TestRun } from "../../state/connection_test.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/clipboard.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { useApp } from "../AppContext.ts";

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
  /** Whether the driver reaches a network. */
  readonly isDialed: boolean;
  readonly onTypeAgain: (() => void) | undefined;
}

/** How a test of a connection goes, stage by stage. */
export function TestPanel({ run, isDialed, onTypeAgain }: TestPanelProps) {
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
            Failed at {STAGE_NAMES[failed.stage].toLowerCase()}
          </span>
        )}
        {stages.length > 0 && <span className="tm">{spanText(total)}</span>}
      </div>
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
          const left = total === 0 ? 0 : (before / total) * 100;
          before += stage.ms;
          return <Stage key={stage.stage} stage={stage} left={left} width={total === 0 ? 0 : (stage.ms / total) * 100} onTypeAgain={onTypeAgain} />;
        })}
        {left.map((stage) => (
          <li className="stage skip" key={stage}>
            <span className="dot">
              <Icon name="dash" small />
            </span>
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
  readonly onTypeAgain: (() => void) | undefined;
}

function Stage({ stage, left, width, onTypeAgain }: StageProps) {
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
        {failure !== undefined && <Why stage={stage.stage} failure={failure} onTypeAgain={onTypeAgain} />}
      </div>
    </li>
  );
}

interface WhyProps {
  readonly stage: TestStage;
  readonly failure: StageFailure;
  readonly onTypeAgain: (() => void) | undefined;
}

function Why({ stage, failure, onTypeAgain }: WhyProps) {
  const app = useApp();
  const message = failure.kind === "rejected" ? failure.rejection.message : failure.message;
  const rejection = failure.kind === "rejected" ? failure.rejection : undefined;
  const meta = [
    rejection?.severity ?? "",
    rejection === undefined ? (failure.kind === "failed" ? failure.reason : "") : codeText(rejection.sqlstate, rejection.vendorCode),
  ].filter((text) => text !== "");
  const lines = [message, ...meta, rejection?.detail ?? "", rejection?.hint ?? ""].filter((text) => text !== "");
  const copy = async () => {
    if (await copyText(lines.join("\n"))) app.toasts.say("The error is copied");
  };
  return (
    <div className="why" role="alert">
      <p className="msg code">{message}</p>
      {meta.length > 0 && <p className="meta">{meta.join(" · ")}</p>}
      {rejection !== undefined && rejection.detail !== "" && <p>{rejection.detail}</p>}
      {rejection !== undefined && rejection.hint !== "" && <p>{rejection.hint}</p>}
      {stage === TestStage.LOGIN && <p>The server was reached and refused this log-in. It was tried once, and nothing is stored.</p>}
      <div className="acts">
        {stage === TestStage.LOGIN && onTypeAgain !== undefined && <Button label="Type it again" look="line" onClick={onTypeAgain} />}
        <Button label="Copy" icon="copy" onClick={() => void copy()} />
      </div>
    </div>
  );
}

function codeText(sqlstate: string, vendorCode: string): string {
  return sqlstate === "" ? vendorCode : `SQLSTATE ${sqlstate}`;
}
