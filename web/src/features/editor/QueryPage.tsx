import { useEffect, useMemo, useRef, useState } from "react";
import { actionFor } from "../../actions/keys.ts";
import { cancelRun } from "../../actions/cancel_run.ts";
import { onPageRequest } from "../../actions/page_event.ts";
import type { Span } from "../../gen/plugin/v1/plugin_pb.ts";
import { environmentOf } from "../../state/connections.ts";
import { dangerOf } from "../../state/danger.ts";
import { formatted } from "../../state/format.ts";
import { valueOf } from "../../state/load.ts";
import { lineOf } from "../../state/offsets.ts";
import { type EditorNow, NOT_RUN, whenFree } from "../../state/pressed.ts";
import { type RunChoices, optionsOf } from "../../state/run_choices.ts";
import { faultsOf, marksOf, scriptIn } from "../../state/run_marks.ts";
import { resultOf } from "../../state/run_view.ts";
import { againOf, outlineOf, parametersOf, type Wanted } from "../../state/scripts.ts";
import { Resizer } from "../../ui/Resizer.tsx";
import { MAC, useApp, usePart } from "../AppContext.ts";
import { ResultPane } from "../results/ResultPane.tsx";
import { ConfirmRunDialog } from "./ConfirmRunDialog.tsx";
import { ParameterBar } from "./ParameterBar.tsx";
import { QueryToolbar } from "./QueryToolbar.tsx";
import { RunBar } from "./RunBar.tsx";
import { type EditorHandle, SqlEditor } from "./SqlEditor.tsx";
import { useOutline } from "./use_outline.ts";

/** A tab: the editor, and what came of running it. */
export function QueryPage({ tabId }: { readonly tabId: string }) {
  const app = useApp();
  const tab = usePart(app.tabs.store, (state) => state.tabs.find(({ id }) => id === tabId));
  const connection = usePart(app.connections.store, (state) => valueOf(state)?.find(({ id }) => id === tab?.connectionId));
  const info = usePart(app.drivers.store, () => app.drivers.find(connection?.spec?.driverType ?? ""));
  const run = usePart(app.runs.store, (runs) => runs.get(tabId) ?? IDLE);
  /** Since when Core is asked where the statements lie that are to be run. */
  const [readSince, setReadSince] = useState<number>();
  const asked = readSince === undefined ? run : { kind: "starting" as const, startedAt: readSince };
  const share = usePart(app.layout, (layout) => layout.editorShare);
  const [hasSelection, setHasSelection] = useState(false);
  const [danger, setDanger] = useState<{ readonly wanted: Wanted; readonly chosen: RunChoices; readonly what: string }>();
  const editor = useRef<EditorHandle>(null);
  const page = useRef<HTMLDivElement>(null);
  /** Core is asked what is to be run. */
  const reads = useRef(false);
  const outline = useOutline(connection?.spec?.driverType ?? "", tab?.text ?? "", () => editor.current?.now());

  const choices = tab?.choices ?? AS_CONNECTION;
  const values = tab?.parameters ?? NO_VALUES;
  const send = (wanted: Wanted, chosen: RunChoices) => {
    const now = app.tabs.store.getState().tabs.find(({ id }) => id === tabId);
    if (now === undefined) return;
    editor.current?.mark([]);
    const given = now.parameters ?? NO_VALUES;
    const bindings = wanted.bindings ?? parametersOf(wanted).map((name) => ({ name, value: given[name] ?? null }));
    const { sql, offset, statements } = wanted;
    const script = { sql, offset, bindings, goesOn: chosen.onError === "go-on", ...(statements.length === 0 ? {} : { statementCount: statements.length }) };
    void app.runs.run(now, script, optionsOf(chosen));
  };
  const begin = async (pick: (pressed: EditorNow) => Promise<Wanted | "unread" | "none">, chosen = choices) => {
    const pressed = await whenFree(app.runs, tabId, () => editor.current?.now());
    if (pressed === "runs") return;
    if (connection === undefined) {
      app.toasts.fail("Nothing was run", "The connection of this tab is not there. Choose another one in the toolbar.");
      return;
    }
    if (typeof pressed === "string") {
      app.toasts.fail("Nothing was run", NOT_RUN[pressed]);
      return;
    }
    // Whoever presses twice asks once.
    if (reads.current) return;
    reads.current = true;
    setReadSince(Date.now());
    const wanted = await pick(pressed).finally(() => {
      reads.current = false;
      setReadSince(undefined);
    });
    if (app.tabs.store.getState().tabs.find(({ id }) => id === tabId)?.connectionId !== connection.id) {
      app.toasts.fail("Nothing was run", "The tab was put on another connection meanwhile. Run it again.");
      return;
    }
    if (wanted === "unread") {
      app.toasts.fail("Nothing was run", "Where the statement at the cursor begins and ends could not be read. Select it, or run all.");
      return;
    }
    if (wanted === "none" || wanted.sql.trim() === "") {
      app.toasts.say(wanted === "none" ? "No statement stands at the cursor" : "There is nothing to run");
      return;
    }
    if (wanted.bindings === undefined && parametersOf(wanted).some((name) => values[name] === undefined)) {
      page.current?.querySelector<HTMLElement>('.params [data-missing="true"]')?.focus();
      return;
    }
    const environment = environmentOf(connection.spec);
    const what = environment === "amber" || environment === "red" ? dangerOf(wanted.sql) : undefined;
    if (what === undefined) send(wanted, chosen);
    else setDanger({ wanted, chosen, what });
  };
  const start = (isAll: boolean) => begin((pressed) => outline.wanted(pressed, isAll));
  /** Runs again what ran before, or the statement of it that lies at `span`: the cursor may be at another one by now. */
  const again = (span?: Span, chosen = choices) => {
    const before = ranBefore();
    if (before === undefined) return void app.toasts.fail("Nothing was run", "What ran here is not known any more. Run it from the editor.");
    void begin(async () => againOf(await outlineOf(app.core, connection?.spec?.driverType ?? "", before.sql, 0, new AbortController().signal), before, span), chosen);
  };
  /** Lays out what is selected, else all of it, unless it was changed meanwhile. */
  const layOut = async () => {
    const now = editor.current?.now();
    if (now === undefined || connection?.spec === undefined) return;
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
    if (key !== "Escape") return;
    const now = Date.now();
    if (now - lastEscape.current < 600 && (cancelRun.enabled?.(app) ?? false)) cancelRun.run(app);
    lastEscape.current = now;
  };

  const result = resultOf(run);
  const sent = app.runs.scriptOf(tabId);
  /** After a reload Core alone knows what ran, and of a long script the beginning. */
  const ranBefore = () => {
    if (sent !== undefined) return sent;
    const sql = result?.sql ?? "";
    return sql === "" || new TextEncoder().encode(sql).length >= SQL_KNOWN_BYTES ? undefined : { sql, offset: Math.max(0, text.indexOf(sql)) };
  };
  const text = tab?.text ?? "";
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
        onRunAgain={() => again()}
        onRunWhole={(span) => {
          const whole = { ...choices, rows: 0 };
          app.tabs.change(tabId, { choices: whole });
          again(span, whole);
        }}
        onLeave={() => editor.current?.focus()}
      />
      {danger !== undefined && (
        <ConfirmRunDialog
          what={danger.what}
          sql={danger.wanted.sql}
          connectionName={connection?.spec?.name ?? ""}
          onRun={() => send(danger.wanted, danger.chosen)}
          onClose={() => setDanger(undefined)}
        />
      )}
    </div>
  );
}

const IDLE = { kind: "idle" } as const;
/** Of a longer script Core tells the beginning alone, to the end of a character before 4,096 bytes: this long it may be cut. */
const SQL_KNOWN_BYTES = 4_093;
const AS_CONNECTION: RunChoices = { deadline: "connection", rows: "connection" };
const NO_VALUES: Readonly<Record<string, string | null>> = {};
