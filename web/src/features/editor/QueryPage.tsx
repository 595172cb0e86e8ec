import { useEffect, useRef, useState } from "react";
import { RUN_EVENT } from "../../actions/run_script.ts";
import { cancelRun } from "../../actions/cancel_run.ts";
import { valueOf } from "../../state/load.ts";
import { placeOfByte } from "../../state/offsets.ts";
import { type RunChoices, optionsOf } from "../../state/run_choices.ts";
import { resultOf } from "../../state/run_view.ts";
import { Resizer } from "../../ui/Resizer.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { ResultPane } from "../results/ResultPane.tsx";
import { QueryToolbar } from "./QueryToolbar.tsx";
import { RunBar } from "./RunBar.tsx";
import { type EditorHandle, SqlEditor } from "./SqlEditor.tsx";

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

  const choices = tab?.choices ?? AS_CONNECTION;
  const start = () => {
    const now = app.tabs.active;
    const script = editor.current?.script();
    if (now === undefined || script === undefined || script.sql.trim() === "") return;
    editor.current?.mark(undefined, "");
    void app.runs.run(now, script, optionsOf(choices));
  };
  const latest = useRef(start);
  latest.current = start;
  useEffect(() => {
    const onRun = () => latest.current();
    addEventListener(RUN_EVENT, onRun);
    return () => removeEventListener(RUN_EVENT, onRun);
  }, []);
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
  const rejection = result?.statements.find(({ end }) => end.case === "rejection")?.end.value;
  const faultByte = rejection?.$typeName === "querybox.plugin.v1.Rejection" ? rejection.positionByte : undefined;
  const script = app.runs.scriptOf(tabId);
  const fault = faultByte === undefined || script === undefined ? undefined : script.offset + placeOfByte(script.sql, faultByte);
  const message = rejection?.$typeName === "querybox.plugin.v1.Rejection" ? rejection.message : "";
  useEffect(() => {
    editor.current?.mark(fault, message);
  }, [fault, message, result?.resultId]);

  if (tab === undefined) return null;
  return (
    <div className="query-page" ref={page} onKeyDown={(event) => onKeyDown(event.key)}>
      <h1 className="sr">
        {tab.title}, on {connection?.spec?.name ?? "a connection that is gone"}
      </h1>
      <QueryToolbar tab={tab} connection={connection} run={run} choices={choices} hasSelection={hasSelection} onChoices={(changed) => app.tabs.change(tabId, { choices: changed })} onRun={start} />
      <div className="editor-pane" style={{ flexBasis: `${share * 100}%` }}>
        <SqlEditor
          ref={editor}
          tabId={tabId}
          text={tab.text}
          label={`SQL of ${tab.title}`}
          dialect={info?.dialect}
          onText={(text) => app.tabs.change(tabId, { text })}
          onSelection={setHasSelection}
          onRun={start}
          onLeave={() => page.current?.querySelector<HTMLElement>("[role=grid]")?.focus()}
        />
      </div>
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
      {(run.kind === "running" || run.kind === "starting") && <RunBar tabId={tabId} run={run} deadline={choices.deadline} spec={connection?.spec} />}
      <ResultPane
        tabId={tabId}
        run={run}
        onGoTo={fault === undefined ? undefined : () => editor.current?.goTo(fault)}
        onRunAgain={start}
        onLeave={() => editor.current?.focus()}
      />
    </div>
  );
}

const IDLE = { kind: "idle" } as const;
const AS_CONNECTION: RunChoices = { deadline: "connection", rows: "connection" };
