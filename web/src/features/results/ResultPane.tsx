import { useEffect, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { ResultState } from "../../gen/core/v1/result_pb.ts";
import { type Span, StoppedBy } from "../../gen/plugin/v1/plugin_pb.ts";
import { onPageRequest, type PageRequest } from "../../actions/page_event.ts";
import { type ColumnLayout, layoutOf } from "../../results/column_layout.ts";
import { columnsOf, tableOf } from "../../results/columns.ts";
import { sqlFormOf } from "../../results/sql_form.ts";
import { AS_THEY_CAME } from "../../results/arrangement.ts";
import { countOf, exportedText, firstTab, messagesOf, type ResultTab, resultOf, shownCount, tabsOf } from "../../state/run_view.ts";
import type { Run } from "../../state/runs.ts";
import { milliseconds, spanText } from "../../state/connection_test.ts";
import { endingOf, notRunOf } from "../../state/endings.ts";
import { keyOf } from "../../state/views.ts";
import { Button } from "../../ui/Button.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { CopyBar } from "./CopyBar.tsx";
import { EndBar } from "./EndBar.tsx";
import { ExportDialog } from "./ExportDialog.tsx";
import { filterIdOf, searchIdOf } from "./FilterBar.tsx";
import { GoToRowDialog } from "./GoToRowDialog.tsx";
import { MessageList } from "./MessageList.tsx";
import { NoResult } from "./NoResult.tsx";
import { type FaultPlace, RejectionView } from "./RejectionView.tsx";
import type { GridHandle } from "./ResultGrid.tsx";
import { ResultTabs } from "./ResultTabs.tsx";
import { ResultTools } from "./ResultTools.tsx";
import { RowsView } from "./RowsView.tsx";
import { useSqlOf } from "./use_sql_of.ts";
import { useKeptArrangement } from "./use_kept_arrangement.ts";
import { useInspector } from "./use_inspector.ts";

interface ResultPaneProps {
  readonly tabId: string;
  readonly title: string;
  readonly run: Run;
  /** The place in the text that the database named when it refused a statement. */
  readonly faultOf: (statement: number | undefined) => FaultPlace | undefined;
  readonly onRunAgain: () => void;
  /** The result of which every row is to be exported. */
  readonly exported: string | undefined;
  /** Runs a statement again without a limit of rows. */
  readonly onRunWhole: (span: Span | undefined, isExported: boolean) => void;
  /** Leads back to the editor. */
  readonly onLeave: () => void;
}

const MESSAGES = "messages";
/** `export-all`: of a statement's own rows, whatever is shown of them. */
type Asked = "nothing" | "export" | "export-all" | "row";

/** What came of a run. */
export function ResultPane({ tabId, title, run, faultOf, exported, onRunAgain, onRunWhole, onLeave }: ResultPaneProps) {
  const app = useApp();
  const [chosen, setChosen] = useState<string>();
  const [asked, setAsked] = useState<Asked>("nothing");
  const [isFilterOpen, setFilterOpen] = useState(false);
  const [offered, setOffered] = useState<string>();
  const [layouts, setLayouts] = useState<ReadonlyMap<string, ColumnLayout>>(new Map());
  const grid = useRef<GridHandle>(null);
  const inspector = useInspector();
  const result = resultOf(run);
  // What was chosen of another run says nothing of this one.
  const [seen, setSeen] = useState(result?.resultId);
  if (seen !== result?.resultId) {
    setSeen(result?.resultId);
    setChosen(undefined);
  }
  if (exported !== undefined && exported === result?.resultId && exported !== offered && result.statements.some(({ returnsRows }) => returnsRows)) {
    setOffered(exported);
    setAsked("export-all");
  }
  const tabs = result === undefined ? [] : tabsOf(result);
  const sqls = useSqlOf(tabs, app.runs.scriptOf(tabId)?.sql ?? result?.sql ?? "");
  const wanted = tabs.find((tab) => tab.key === chosen) ?? (chosen === MESSAGES ? undefined : firstTab(tabs));
  const rows = wanted?.kind === "rows" ? wanted.statement : undefined;
  const key = result === undefined || rows === undefined ? "" : keyOf({ resultId: result.resultId, statement: rows.statement });
  const arranged = usePart(app.views.store, (views) => views.get(key)) ?? PLAIN;
  // The same one each time: a grid draws its heads anew for another one, and what is pressed there would be lost.
  const columnCount = rows?.columns.length ?? 0;
  const plain = useMemo(() => layoutOf(columnCount), [columnCount]);
  // Of the results before, what was laid out is remembered by statement.
  const onLayout = (changed: ColumnLayout) =>
    setLayouts((old) => new Map([...old].filter(([name]) => name.startsWith(result?.resultId ?? ""))).set(key, changed));
  useKeptArrangement(result?.resultId, rows, app.runs.scriptOf(tabId)?.sql ?? "", arranged.arrangement, layouts.get(key), onLayout);

  const ask = (request: PageRequest) => {
    if (rows === undefined) return;
    if (request === "filter" && isFilterOpen) {
      setFilterOpen(false);
      grid.current?.focus();
    } else if (request === "filter" || request === "search") {
      // Whoever asks types on at once: the field is there before this returns.
      flushSync(() => setFilterOpen(true));
      document.getElementById((request === "filter" ? filterIdOf : searchIdOf)(`grid-${tabId}`))?.focus();
    } else if (request === "column") grid.current?.openColumn();
    else if (request === "export") setAsked("export");
    else if (request === "go-to-row") setAsked("row");
  };
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => onPageRequest(tabId, (request) => latest.current(request)), [tabId]);

  if (result === undefined) return <NoResult run={run} onRunAgain={onRunAgain} />;
  const ending = endingOf(result);
  const script = app.runs.scriptOf(tabId);
  const messages = messagesOf(result, script?.statementCount);
  const count = rows === undefined ? undefined : (shownCount(rows, arranged.shown) ?? countOf(rows));
  const rowCount = arranged.shown?.rowCount ?? Number(rows?.rowCount ?? 0n);
  const layout = layouts.get(key) ?? plain;
  const close = () => setAsked("nothing");
  return (
    <>
      {(ending ?? result.failure) !== undefined && <EndBar result={result} ending={ending} failure={result.failure} onRunAgain={onRunAgain} />}
      <div className="bar thin result-bar">
        <ResultTabs tabs={tabs} shown={wanted} messages={messages.length} sqlOf={sqls} onTab={(tab: ResultTab | undefined) => setChosen(tab?.key ?? MESSAGES)} />
        <span className="grow" />
        {count !== undefined && (
          <span className={count.isWarning ? "count warn" : "count"} role="status">
            {count.before} <b>{count.number}</b> {count.after}
          </span>
        )}
        {wanted?.kind === "rejected" && <span className="count dim">rejected after {spanText(milliseconds(result.elapsed))}</span>}
        {rows !== undefined && <ResultTools isFilterOpen={isFilterOpen} inspector={inspector} onCopy={(format) => grid.current?.copy(format)} />}
      </div>
      <CopyBar resultId={result.resultId} />
      {wanted === undefined && <MessageList messages={messages} isRunning={run.kind === "running"} isEmpty={result.statementCount === 0 && result.state === ResultState.DONE} />}
      {wanted?.kind === "rejected" && <RejectionView rejection={wanted.rejection} fault={faultOf(wanted.statement)} notRun={notRunOf(result, script?.statementCount)} />}
      {rows !== undefined && (
        <RowsView
          key={key}
          id={`grid-${tabId}`}
          label={wanted?.label ?? ""}
          resultId={result.resultId}
          statement={rows}
          page={"page" in run && run.page?.statement === rows.statement ? run.page : undefined}
          arranged={arranged}
          form={sqlFormOf(app.drivers.find(app.connections.find(result.connectionId)?.spec?.driverType ?? "")?.dialect)}
          layout={layout}
          isFilterOpen={isFilterOpen}
          inspector={inspector}
          grid={grid}
          onFilterOpen={setFilterOpen}
          onLayout={onLayout}
          onLeave={onLeave}
        />
      )}
      {rows?.end.case === "summary" && rows.end.value.stoppedBy === StoppedBy.ROWS_MAX && (
        <div className="end">
          <p>
            <b>{rows.rowCount.toLocaleString("en-US")} rows, then the limit.</b> The rest was not fetched.
          </p>
          <div className="acts">
            <Button label="Run again, all rows" icon="play" look="line" onClick={() => onRunWhole(rows.span, false)} />
            <Button label="Export every row…" icon="export" onClick={() => onRunWhole(rows.span, true)} />
          </div>
        </div>
      )}
      {rows !== undefined && (asked === "export" || asked === "export-all") && (
        <ExportDialog
          title={title}
          rows={{ resultId: result.resultId, statement: rows.statement, view: asked === "export" ? (arranged.shown?.view ?? 0) : 0 }}
          says={exportedText(rows, asked === "export" ? arranged.shown : undefined)}
          table={tableOf(columnsOf(rows)) ?? []}
          onClose={close}
        />
      )}
      {rows !== undefined && asked === "row" && <GoToRowDialog rowCount={rowCount} onGo={(row) => {
        grid.current?.goToRow(row);
        grid.current?.focus();
      }} onClose={close} />}
    </>
  );
}

const PLAIN = { arrangement: AS_THEY_CAME, shown: undefined, making: undefined, problem: undefined };
