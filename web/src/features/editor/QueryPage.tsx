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
import { type PressedOn, pressedOn, whyNotThere } from "../../state/pressed_on.ts";
import { ranIn, whyNotAgain } from "../../state/run_again.ts";
import { type RunChoices, optionsOf } from "../../state/run_choices.ts";
import { faultsOf, marksOf, scriptIn } from "../../state/run_marks.ts";
import { resultOf } from "../../state/run_view.ts";
import { againOf, NOT_WANTED, type NotWanted, outlineOf, parametersOf, type Wanted } from "../../state/scripts.ts";
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

/** Something that is to run. */
interface Order {
  readonly wanted: Wanted;
  readonly chosen: RunChoices;
  readonly on: PressedOn;
  /** Hears of the result when something has run. */
  readonly onSent?: (resultId: string) => void;
}

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
  const [danger, setDanger] = useState<{ readonly order: Order; readonly what: string }>();
  /** The result of which every row is to be exported, as soon as it has some. */
  const [exported, setExported] = useState<string>();
  const editor = useRef<EditorHandle>(null);
  const page = useRef<HTMLDivElement>(null);
  /** Core is asked what is to be run. */
  const reads = useRef(false);
  const outline = useOutline(connection?.spec?.driverType ?? "", tab?.text ?? "", () => editor.current?.now());

  const choices = tab?.choices ?? AS_CONNECTION;
  const values = tab?.parameters ?? NO_VALUES;
  const refuse = (why: string) => app.toasts.fail("Nothing was run", why);
  const send = async ({ wanted, chosen, on, onSent }: Order) => {
    const why = whyNotThere(app, tabId, on);
    if (why !== undefined) return refuse(why);
    const now = app.tabs.store.getState().tabs.find(({ id }) => id === tabId);
    if (now === undefined) return;
    editor.current?.mark([]);
    const given = now.parameters ?? NO_VALUES;
    const bindings = wanted.bindings ?? parametersOf(wanted).map((name) => ({ name, value: given[name] ?? null }));
    const { sql, offset, statements } = wanted;
    const { connectionId } = on;
    const script = { sql, offset, bindings, connectionId, goesOn: chosen.onError === "go-on", ...(statements.length === 0 ? {} : { statementCount: statements.length }) };
    const problem = await app.runs.run(now, script, optionsOf(chosen));
    if (problem !== undefined) app.toasts.fail(problem.message, problem.advice);
    const resultId = app.tabs.store.getState().tabs.find(({ id }) => id === tabId)?.resultId;
    if (resultId !== undefined && resultId !== now.resultId) onSent?.(resultId);
  };
  const begin = async (pick: (pressed: EditorNow) => Promise<Wanted | NotWanted>, chosen = choices, onSent?: Order["onSent"]) => {
    const on = pressedOn(app, tabId);
    const pressed = await whenFree(app.runs, tabId, () => editor.current?.now());
    if (pressed === "runs") return;
    if (on === undefined) return refuse("The connection of this tab is not there. Choose another one in the toolbar.");
    if (typeof pressed === "string") return refuse(NOT_RUN[pressed]);
    // Whoever presses twice asks once.
    if (reads.current) return;
    reads.current = true;
    setReadSince(Date.now());
    const wanted = await pick(pressed).finally(() => {
      reads.current = false;
      setReadSince(undefined);
    });
    const why = whyNotThere(app, tabId, on);
    if (why !== undefined) return refuse(why);
    if (wanted === "none") return app.toasts.say("No statement stands at the cursor");
    if (typeof wanted === "string") return refuse(NOT_WANTED[wanted]);
    if (wanted.sql.trim() === "") return app.toasts.say("There is nothing to run");
    const missing = wanted.bindings === undefined ? parametersOf(wanted).find((name) => values[name] === undefined) : undefined;
    if (missing !== undefined) {
      const field = page.current?.querySelector<HTMLElement>('.params [data-missing="true"]');
      // It is a field of the statement at the cursor alone.
      if (field == null) refuse(`The parameter ${missing} has no value. Put the cursor at its statement to give it one.`);
      else field.focus();
      return;
    }
    const environment = environmentOf(app.connections.find(on.connectionId)?.spec);
    const what = environment === "amber" || environment === "red" ? dangerOf(wanted.sql) : undefined;
    const order = { wanted, chosen, on, ...(onSent === undefined ? {} : { onSent }) };
    if (what === undefined) void send(order);
    else setDanger({ order, what });
  };
  const start = (isAll: boolean) => begin((pressed) => outline.wanted(pressed, isAll));
  /** Runs again what ran before, or the statement of it that lies at `span`: the cursor may be at another one by now. */
  const again = (span?: Span, chosen?: RunChoices, onSent?: Order["onSent"]) => {
    const ran = ranIn(sent, result, text);
    const why = whyNotAgain(app, ran, tab?.connectionId ?? "");
    if (ran === undefined || why !== undefined) return refuse(why ?? "");
    const pick = async () => againOf(await outlineOf(app.core, connection?.spec?.driverType ?? "", ran.sql, 0, new AbortController().signal), ran, span);
    void begin(pick, chosen, onSent);
  };
  const againWhole = (span: Span | undefined, isExported: boolean) =>
    again(span, { ...choices, rows: 0 }, (resultId) => {
      const now = app.tabs.store.getState().tabs.find(({ id }) => id === tabId)?.choices ?? AS_CONNECTION;
      app.tabs.change(tabId, { choices: { ...now, rows: 0 } });
      if (isExported) setExported(resultId);
    });
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

  const result = resultOf(run);
  const sent = app.runs.scriptOf(tabId);
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
        exported={exported}
        onRunAgain={() => again()}
        onRunWhole={againWhole}
        onLeave={() => editor.current?.focus()}
      />
      {danger !== undefined && (
        <ConfirmRunDialog
          what={danger.what}
          sql={danger.order.wanted.sql}
          connectionName={connection?.spec?.name ?? ""}
          onRun={() => void send(danger.order)}
          onClose={() => setDanger(undefined)}
        />
      )}
    </div>
  );
}

const IDLE = { kind: "idle" } as const;
const AS_CONNECTION: RunChoices = { deadline: "connection", rows: "connection" };
const NO_VALUES: Readonly<Record<string, string | null>> = {};
