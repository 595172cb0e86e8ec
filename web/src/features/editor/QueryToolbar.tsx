import { cancelRun } from "../../actions/cancel_run.ts";
import { formatScript } from "../../actions/format_script.ts";
import { runAll } from "../../actions/run_all.ts";
import { runScript } from "../../actions/run_script.ts";
import type { Connection } from "../../gen/core/v1/connection_pb.ts";
import { StoppedBy } from "../../gen/plugin/v1/plugin_pb.ts";
import { valueOf } from "../../state/load.ts";
import { moveTab } from "../../state/close_tabs.ts";
import { type RunChoices, rowsText, secondsOf, secondsText } from "../../state/run_choices.ts";
import type { Run } from "../../state/runs.ts";
import type { Tab } from "../../state/tabs.ts";
import { Button } from "../../ui/Button.tsx";
import { Toolbar } from "../../ui/Toolbar.tsx";
import { useApp, useKeys, usePart } from "../AppContext.ts";
import { driverIcon } from "../connections/driver_icon.ts";
import { ActionButton } from "../shell/ActionButton.tsx";
import { Choice } from "./Choice.tsx";
import { SessionChoice } from "./SessionChoice.tsx";

interface QueryToolbarProps {
  readonly tab: Tab;
  readonly connection: Connection | undefined;
  readonly run: Run;
  readonly choices: RunChoices;
  readonly hasSelection: boolean;
  readonly onChoices: (choices: RunChoices) => void;
  readonly onRun: () => void;
}

const DEADLINES: readonly RunChoices["deadline"][] = ["connection", 10, 60, 300, 1800, "none"];
/** 0: all of them. */
const ROWS: readonly RunChoices["rows"][] = ["connection", 1_000, 100_000, 1_000_000, 0];

/** What can be done with the text of a tab. */
export function QueryToolbar({ tab, connection, run, choices, hasSelection, onChoices, onRun }: QueryToolbarProps) {
  const app = useApp();
  const keysOf = useKeys();
  const connections = usePart(app.connections.store, (state) => valueOf(state));
  const isBusy = run.kind === "starting" || run.kind === "running";
  const spec = connection?.spec;
  const isLimited = run.kind === "ended" && run.result.statements.some(({ end }) => end.case === "summary" && end.value.stoppedBy === StoppedBy.ROWS_MAX);
  const icon = driverIcon(usePart(app.drivers.store, () => app.drivers.find(spec?.driverType ?? "")?.iconName));
  return (
    <Toolbar className="bar" label="Query">
      {isBusy ? (
        <Button
          label={run.kind === "running" && run.isStopping ? "Stopping" : "Cancel"}
          icon="stop"
          look="line"
          className="stop"
          keys="Esc Esc"
          disabled={!app.runs.canCancel(tab.id) || (run.kind === "running" && run.isStopping)}
          onClick={() => cancelRun.run(app)}
        />
      ) : (
        <Button
          label={hasSelection ? "Run selection" : "Run"}
          icon="play"
          look="primary"
          keys={keysOf(runScript)}
          disabled={tab.text.trim() === "" || connection === undefined}
          onClick={onRun}
        />
      )}
      <ActionButton action={runAll} className="hide-phone early" disabled={isBusy || tab.text.trim() === "" || connection === undefined} />
      <ActionButton action={formatScript} label="Format" className="hide-phone early" disabled={tab.text.trim() === "" || connection === undefined} />
      <span className="grow" />
      <Choice
        label="Connection"
        icon={icon}
        text={spec?.name ?? "No connection"}
        items={(connections ?? []).map((other) => ({
          label: other.spec?.name ?? "",
          checked: other.id === tab.connectionId,
          onChoose: () => {
            if (moveTab(app, tab, other.id)) return;
            app.toasts.fail("The tab stays on its connection", "A transaction may be open in its session: commit it or roll it back first.");
          },
        }))}
      />
      <SessionChoice tab={tab} isRunning={isBusy} />
      <Choice
        label="After an error"
        icon="skip"
        className="fold early"
        text={choices.onError === "go-on" ? "Go on at errors" : "Stop at errors"}
        items={[
          { label: "Stop: nothing behind it runs", checked: choices.onError === undefined, onChoose: () => onChoices(without(choices)) },
          { label: "Go on with the next statement", checked: choices.onError === "go-on", onChoose: () => onChoices({ ...choices, onError: "go-on" }) },
        ]}
      />
      <Choice
        label="Deadline"
        icon="timer"
        className="fold"
        text={secondsText(secondsOf(choices.deadline, spec))}
        items={DEADLINES.map((deadline) => ({
          label: deadline === "connection" ? `As the connection says: ${secondsText(secondsOf(deadline, spec))}` : secondsText(secondsOf(deadline, spec)),
          checked: deadline === choices.deadline,
          onChoose: () => onChoices({ ...choices, deadline }),
        }))}
      />
      <Choice
        label="Row limit"
        icon="limit"
        className={isLimited ? "fold warnish" : "fold"}
        text={rowsText(choices.rows, spec)}
        items={ROWS.map((rows) => ({
          label: rows === "connection" ? `As the connection says: ${rowsText(rows, spec).toLowerCase()}` : rowsText(rows, spec),
          checked: rows === choices.rows,
          onChoose: () => onChoices({ ...choices, rows }),
        }))}
      />
    </Toolbar>
  );
}

/** The choices as they are at first: an error stops the script. */
function without({ onError: _onError, ...choices }: RunChoices): RunChoices {
  return choices;
}
