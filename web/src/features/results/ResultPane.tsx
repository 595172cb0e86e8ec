import { useState } from "react";
import type { Place } from "../../results/selection.ts";
import { countOf, firstTab, messagesOf, resultOf, tabsOf } from "../../state/run_view.ts";
import type { Run } from "../../state/runs.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { Inspector } from "./Inspector.tsx";
import { MessageList } from "./MessageList.tsx";
import { RejectionView } from "./RejectionView.tsx";
import { ResultGrid } from "./ResultGrid.tsx";

interface ResultPaneProps {
  readonly tabId: string;
  readonly run: Run;
  /** Leads to the place in the text that the database named. */
  readonly onGoTo: (() => void) | undefined;
  readonly onRunAgain: () => void;
  /** Leads back to the editor. */
  readonly onLeave: () => void;
}

/** What came of a run. */
export function ResultPane({ tabId, run, onGoTo, onRunAgain, onLeave }: ResultPaneProps) {
  const app = useApp();
  const inspectorOpen = usePart(app.layout, (layout) => layout.inspectorOpen);
  const [chosen, setChosen] = useState<string>();
  const [place, setPlace] = useState<Place>({ row: 0, column: 0 });
  const result = resultOf(run);
  if (result === undefined) {
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
    return (
      <div className="nothing">
        {run.kind === "gone" && <p>The result of the last run is not kept any more. Run it again to see it.</p>}
        {run.kind === "idle" && <p>Results come here. Nothing is sent before you run it.</p>}
      </div>
    );
  }
  const tabs = tabsOf(result);
  const messages = messagesOf(result);
  const wanted = tabs.find((tab) => tab.key === chosen) ?? (chosen === MESSAGES ? undefined : firstTab(tabs));
  const shown = wanted ?? MESSAGES;
  const count = wanted?.kind === "rows" ? countOf(wanted.statement) : undefined;
  const hasInspector = wanted?.kind === "rows" && wanted.statement.rowCount > 0n;
  return (
    <>
      <div className="bar thin result-bar">
        <div className="subtabs" role="tablist" aria-label="Results">
          {tabs.map((tab) => (
            <button
              key={tab.key}
              type="button"
              role="tab"
              aria-selected={tab === wanted}
              className={tab.kind === "rejected" ? "subtab err" : "subtab"}
              onClick={() => setChosen(tab.key)}
            >
              {tab.kind === "rejected" && <Icon name="error" />}
              {tab.label}
            </button>
          ))}
          <button type="button" role="tab" aria-selected={shown === MESSAGES} className="subtab" onClick={() => setChosen(MESSAGES)}>
            Messages <span>{messages.length > 0 ? messages.length : ""}</span>
          </button>
        </div>
        <span className="grow" />
        {count !== undefined && (
          <span className={count.isWarning ? "count warn" : "count"} role="status">
            {count.before} <b>{count.number}</b> {count.after}
          </span>
        )}
        {hasInspector && (
          <Button
            label="Inspector"
            icon="pane-r"
            iconOnly
            pressed={inspectorOpen}
            onClick={() => app.layout.setState({ inspectorOpen: !inspectorOpen })}
          />
        )}
      </div>
      {shown === MESSAGES && <MessageList messages={messages} isRunning={run.kind === "running"} />}
      {wanted?.kind === "rejected" && <RejectionView rejection={wanted.rejection} onGoTo={onGoTo} />}
      {wanted?.kind === "rows" && (
        <div className="results">
          <ResultGrid
            key={`${result.resultId} ${wanted.key}`}
            id={`grid-${tabId}`}
            label={wanted.label}
            resultId={result.resultId}
            statement={wanted.statement}
            page={"page" in run && run.page?.statement === wanted.statement.statement ? run.page : undefined}
            onPlace={setPlace}
            onOpen={() => app.layout.setState({ inspectorOpen: true })}
            onLeave={onLeave}
          />
          {hasInspector && inspectorOpen && (
            <Inspector
              resultId={result.resultId}
              statement={wanted.statement}
              place={place}
              onClose={() => app.layout.setState({ inspectorOpen: false })}
            />
          )}
        </div>
      )}
    </>
  );
}

const MESSAGES = "messages";
