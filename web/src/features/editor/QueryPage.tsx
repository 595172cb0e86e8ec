import { useEffect, useMemo, useRef, useState } from "react";
import { actionFor } from "../../actions/keys.ts";
import { cancelRun } from "../../actions/cancel_run.ts";
import { onPageRequest } from "../../actions/page_event.ts";
import { formatted } from "../../state/format.ts";
import { valueOf } from "../../state/load.ts";
import { lineOf } from "../../state/offsets.ts";
import { ranIn } from "../../state/run_again.ts";
import { AS_CONNECTION } from "../../state/run_choices.ts";
import { faultsOf, marksOf, scriptIn } from "../../state/run_marks.ts";
import { resultOf } from "../../state/run_view.ts";
import { isWindowOpen } from "../../ui/Dialog.tsx";
import { Resizer } from "../../ui/Resizer.tsx";
import { MAC, useApp, usePart } from "../AppContext.ts";
import { ResultPane } from "../results/ResultPane.tsx";
import { ConfirmRunDialog } from "./ConfirmRunDialog.tsx";
import { ParameterBar } from "./ParameterBar.tsx";
import { QueryToolbar } from "./QueryToolbar.tsx";
import { RunBar } from "./RunBar.tsx";
import { type EditorHandle, SqlEditor } from "./SqlEditor.tsx";
import { useOutline } from "./use_outline.ts";
import { useRuns } from "./use_runs.ts";

/** A tab: the editor, and what came of running it. */
export function QueryPage({ tabId }: { readonly tabId: string }) {
  const app = useApp();
  const tab = usePart(app.tabs.store, (state) => state.tabs.find(({ id }) => id === tabId));
  const connection = usePart(app.connections.store, (state) => valueOf(state)?.find(({ id }) => id === tab?.connectionId));
  const info = usePart(app.drivers.store, () => app.drivers.find(connection?.spec?.driverType ?? ""));
  const run = usePart(app.runs.store, (runs) => runs.get(tabId) ?? IDLE);
  const share = usePart(app.layout, (layout) => layout.editorShare);
  const [hasSelection, setHasSelection] = useState(false);
  const editor = useRef<EditorHandle>(null);
  const page = useRef<HTMLDivElement>(null);
  const outline = useOutline(connection?.spec?.driverType ?? "", tab?.text ?? "", () => editor.current?.now());

  const choices = tab?.choices ?? AS_CONNECTION;
  const values = tab?.parameters ?? NO_VALUES;
  const result = resultOf(run);
  const sent = app.runs.scriptOf(tabId);
  const text = tab?.text ?? "";
  const { readSince, danger, exported, start, again, againWhole } = useRuns({
    tabId,
    driverType: connection?.spec?.driverType ?? "",
    choices,
    wanted: outline.wanted,
    ran: () => ranIn(sent, result, text),
    now: () => editor.current?.now(),
    missingField: () => page.current?.querySelector<HTMLElement>('.params [data-missing="true"]') ?? undefined,
    onSend: () => editor.current?.mark([]),
  });
  const asked = readSince === undefined ? run : { kind: "starting" as const, startedAt: readSince };
  /** Lays out what is selected, else all of it, unless it was changed meanwhile. */
  const layOut = async () => {
    const now = editor.current?.now();
    if (now === undefined || connection?.spec === undefined) return;
    if (now.hasParts === true) return app.toasts.fail("Nothing was laid out", "Several parts are selected. Select one of them, or nothing for all of it.");
    const [from, to] = now.from === now.to ? [0, now.text.length] : [now.from, now.to];
    const sql = await formatted(app, connection.spec.driverType, now.text.slice(from, to));
    if (sql !== undefined && editor.current?.now().text === now.text) editor.current.replace(from, to, sql);
  };
  const latest = useRef(start);
  latest.current = start;
  const latestFormat = useRef(layOut);
  latestFormat.current = layOut;
  useEffect(
    () =>
      onPageRequest(tabId, (request) => {
        if (request === "run" || request === "run-all") void latest.current(request === "run-all");
        else if (request === "format") void latestFormat.current();
        else if (request === "go-to-fault") {
          const [fault] = latestFaults.current;
          if (fault !== undefined) editor.current?.goTo(fault.at);
        }
      }),
    [],
  );
  useEffect(() => {
    const now = app.tabs.store.getState().tabs.find(({ id }) => id === tabId);
    if (now !== undefined) void app.runs.attach(now);
  }, [app, tabId]);

  // Esc twice cancels: once is for closing what is open.
  const lastEscape = useRef(0);
  const onKeyDown = (key: string) => {
    if (key !== "Escape" || isWindowOpen()) return;
    const now = Date.now();
    if (now - lastEscape.current < 600 && (cancelRun.enabled?.(app) ?? false)) cancelRun.run(app);
    lastEscape.current = now;
  };

  const place = useMemo(() => scriptIn(text, sent)?.offset, [text, sent]);
  const script = useMemo(() => (sent === undefined || place === undefined ? undefined : { ...sent, offset: place }), [sent, place]);
  const faults = useMemo(() => faultsOf(result, script), [result, script]);
  const faultKey = JSON.stringify([result?.resultId, faults]);
  const latestFaults = useRef(faults);
  latestFaults.current = faults;
  // A running script is heard of often: what is marked is drawn anew only when it is other than before.
  useEffect(() => editor.current?.mark(latestFaults.current), [faultKey]);
  const marks = useMemo(() => marksOf(run, script, outline.atCursor), [run, script, outline.atCursor]);
  useEffect(() => editor.current?.show(marks), [marks]);

  if (tab === undefined) return null;
  return (
    <div className="query-page" ref={page} onKeyDown={(event) => onKeyDown(event.key)}>
      <h1 className="sr">
        {tab.title}, on {connection?.spec?.name ?? "a connection that is gone"}
      </h1>
      <QueryToolbar
        tab={tab}
        connection={connection}
        run={asked}
        choices={choices}
        hasSelection={hasSelection}
        onChoices={(changed) => app.tabs.change(tabId, { choices: changed })}
        onRun={() => void start(false)}
      />
      <div className="editor-pane" style={{ flexBasis: `${share * 100}%` }}>
        <SqlEditor
          key={tab.taken ?? 0}
          ref={editor}
          tabId={tabId}
          text={tab.text}
          label={`SQL of ${tab.title}`}
          dialect={info?.dialect}
          onText={(text) => app.tabs.change(tabId, { text })}
          onSelection={setHasSelection}
          onCursor={outline.onCursor}
          isForPage={(event) => actionFor(app, event, MAC) !== undefined}
          isOpen={(id) => app.tabs.store.getState().tabs.some((other) => other.id === id)}
          takesFocus={app.tabs.active?.id === tabId}
          onLeave={() => page.current?.querySelector<HTMLElement>("[role=grid]")?.focus()}
        />
      </div>
      {outline.parameters.length > 0 && (
        <ParameterBar
          names={outline.parameters}
          values={values}
          onChange={(parameters) => app.tabs.change(tabId, { parameters })}
          onRun={() => void start(false)}
        />
      )}
      <Resizer
        label="Height of the editor"
        axis="y"
        value={share}
        least={0.1}
        most={0.9}
        step={0.05}
        valueAt={(event) => {
          const box = page.current?.getBoundingClientRect();
          return box === undefined ? share : (event.clientY - box.top - 40) / (box.height - 40);
        }}
        onChange={(editorShare) => app.layout.setState({ editorShare })}
      />
      {(asked.kind === "running" || asked.kind === "starting") && <RunBar tabId={tabId} run={asked} deadline={choices.deadline} spec={connection?.spec} />}
      <ResultPane
        tabId={tabId}
        title={tab.title}
        run={run}
        faultOf={(statement) => {
          const fault = faults.find((candidate) => candidate.statement === statement);
          return fault === undefined ? undefined : { ...lineOf(tab.text, fault.at), onGo: () => editor.current?.goTo(fault.at) };
        }}
        exported={exported}
        onRunAgain={() => again()}
        onRunWhole={againWhole}
        onLeave={() => editor.current?.focus()}
      />
      {danger !== undefined && (
        <ConfirmRunDialog
          what={danger.what}
          sql={danger.sql}
          connectionName={connection?.spec?.name ?? ""}
          onRun={danger.onRun}
          onClose={danger.onClose}
        />
      )}
    </div>
  );
}

const IDLE = { kind: "idle" } as const;
const NO_VALUES: Readonly<Record<string, string | null>> = {};
