import { useEffect, useState } from "react";
import { bytesText } from "../../results/grid_cells.ts";
import { milliseconds, spanText } from "../../state/connection_test.ts";
import { TransactionState } from "../../gen/plugin/v1/plugin_pb.ts";
import { resultOf, standText } from "../../state/run_view.ts";
import { useApp, usePart } from "../AppContext.ts";

interface RunStatusProps {
  readonly tabId: string;
  /** How the run stands, or what it took. */
  readonly face: "state" | "numbers";
}

/** What the status bar says of the active tab's run. */
export function RunStatus({ tabId, face }: RunStatusProps) {
  const app = useApp();
  const run = usePart(app.runs.store, (runs) => runs.get(tabId));
  const [now, setNow] = useState(Date.now);
  const transaction = usePart(app.sessions.store, (sessions) => {
    const session = sessions.get(tabId);
    return session?.kind === "open" ? session.transaction : TransactionState.IDLE;
  });
  const isRunning = run?.kind === "running";
  useEffect(() => {
    if (!isRunning || face !== "state") return;
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, [isRunning, face]);
  if (face === "state") {
    const elapsed = run?.kind === "running" ? Math.max(0, now - run.startedAt) : 0;
    return <span className={transaction === TransactionState.IDLE ? "" : "warnish"}>{standText(run ?? { kind: "idle" }, elapsed, transaction)}</span>;
  }
  const result = run === undefined ? undefined : resultOf(run);
  if (result === undefined) return null;
  const first = result.statements.find(({ end }) => end.case === "summary")?.end;
  const firstRow = first?.case === "summary" ? first.value.firstRow : undefined;
  const words = [
    isRunning ? "" : spanText(milliseconds(result.elapsed)),
    firstRow === undefined ? "" : `first row ${spanText(milliseconds(firstRow))}`,
    bytesText(result.keptBytes),
  ];
  return (
    <>
      <span className="hide-phone">{words.filter((word) => word !== "").join(" · ")}</span>
      <span className="hide-mid">
        Session <span className="code id">{result.sessionId.slice(-8)}</span>
      </span>
    </>
  );
}
