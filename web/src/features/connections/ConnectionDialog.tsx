import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { importConnections } from "../../actions/import_connections.ts";
import { matches } from "../../actions/shortcut.ts";
import type { Connection } from "../../gen/core/v1/connection_pb.ts";
import { type FormFieldRole, NetworkNeed, type PluginInfo } from "../../gen/plugin/v1/plugin_pb.ts";
import {
  type ConnectionForm,
  emptyForm,
  type Faults,
  faultsOf,
  formOf,
  isTyped,
  movedFields,
  specOf,
} from "../../state/connection_form.ts";
import { type TestRun, testConnection } from "../../state/connection_test.ts";
import type { Drivers } from "../../state/drivers.ts";
import { endedBySaving, saveConnection } from "../../state/save_connection.ts";
import type { Problem } from "../../transport/problem.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { fixedKeys, MAC, useApp, usePart } from "../AppContext.ts";
import { ConnectionFields } from "./ConnectionFields.tsx";
import { DiscardDialog } from "./DiscardDialog.tsx";
import { DriverTiles } from "./DriverTiles.tsx";
import { EndSessionsDialog } from "./EndSessionsDialog.tsx";
import { TestPanel } from "./TestPanel.tsx";
import { UrlField } from "./UrlField.tsx";

const CHANGED: Problem = {
  message: "The connection was changed elsewhere while this window was open",
  reason: "CONNECTION_CHANGED",
  advice: "Save again to put what stands here in its place, or cancel to keep the other change.",
};

/** Where Alt types letters, it is another one. */
const TEST_KEYS = MAC ? "Ctrl+Shift+T" : "Alt+T";
const SAVE_KEYS = "Mod+Enter";

interface ConnectionDialogProps {
  /** The connection that is changed. Absent: a new one. */
  readonly connection?: Connection;
  readonly onClose: () => void;
}

/** The window in which a connection is made or changed. */
export function ConnectionDialog({ connection, onClose }: ConnectionDialogProps) {
  const app = useApp();
  const drivers = usePart(app.drivers.store, (state) => state);
  const title = connection === undefined ? "New connection" : "Edit connection";
  /** Asks first where something was typed. */
  const [holds, setHolds] = useState(false);
  const [isLeaving, setLeaving] = useState(false);
  const leave = () => (holds ? setLeaving(true) : onClose());
  return (
    <Dialog label={title} className="dialog" onClose={onClose} onLeave={leave}>
      {drivers.kind === "ready" && drivers.value.usable.length > 0 ? (
        <Body title={title} drivers={drivers.value} connection={connection} onClose={onClose} onLeave={leave} onHold={setHolds} />
      ) : (
        <div className="hello">
          {drivers.kind === "loading" && <p>Looking for drivers</p>}
          {drivers.kind === "failed" && <p role="alert">{drivers.problem.message}</p>}
          {drivers.kind === "ready" && (
            <p>No driver is installed. Drivers are files in the folder `plugins` beside the server's program.</p>
          )}
          <Button label="Close" look="line" big onClick={onClose} />
        </div>
      )}
      {isLeaving && <DiscardDialog onClose={() => setLeaving(false)} onDiscard={onClose} />}
    </Dialog>
  );
}

interface BodyProps {
  readonly title: string;
  readonly drivers: Drivers;
  readonly connection: Connection | undefined;
  readonly onClose: () => void;
  /** Closes it after a question, if there is one to ask. */
  readonly onLeave: () => void;
  /** Whether something would be lost with it. */
  readonly onHold: (holds: boolean) => void;
}

function Body({ title, drivers, connection: opened, onClose, onLeave, onHold }: BodyProps) {
  const app = useApp();
  /** What is saved is written over this one. */
  const [connection, setConnection] = useState(opened);
  const [form, setForm] = useState<ConnectionForm>(() =>
    connection?.spec === undefined ? emptyForm(drivers.usable[0], drivers.places) : formOf(connection.spec),
  );
  const begun = useRef(form);
  useEffect(() => onHold(isTyped(form, begun.current)), [form, onHold]);
  const [faults, setFaults] = useState<Faults>({});
  const [run, setRun] = useState<TestRun>({ kind: "idle" });
  const [problem, setProblem] = useState<Problem>();
  const [isSaving, setSaving] = useState(false);
  const [asking, setAsking] = useState<{ readonly titles: readonly string[]; readonly thenOpen: boolean }>();
  const testing = useRef<AbortController>(undefined);
  /** The form as it was tested last. */
  const tested = useRef<ConnectionForm>(undefined);
  const body = useRef<HTMLFormElement>(null);
  useEffect(() => () => testing.current?.abort(), []);

  const info = drivers.usable.find(({ driverType }) => driverType === form.driverType);
  const change = (part: Partial<ConnectionForm>) => {
    setForm((old) => ({ ...old, ...part }));
    setFaults({});
  };
  /** The driver's description, if the form can be used so. */
  const fit = (purpose: "save" | "test"): PluginInfo | undefined => {
    if (info === undefined) return undefined;
    const found = faultsOf(form, info, purpose);
    setFaults(found);
    requestAnimationFrame(() => body.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    return Object.keys(found).length === 0 ? info : undefined;
  };
  const test = async () => {
    const driver = fit("test");
    if (driver === undefined) return;
    testing.current?.abort();
    const stop = new AbortController();
    testing.current = stop;
    tested.current = form;
    const keeps = Object.values(form.secrets).every((text) => text === "");
    // A saved connection is tried with its stored password; what is typed would not have it.
    const isSaved = connection?.spec !== undefined && keeps && sameForm(form, formOf(connection.spec));
    const target = isSaved
      ? ({ case: "connection", value: { key: { case: "id", value: connection.id } } } as const)
      : ({ case: "unsaved", value: specOf({ ...form, name: form.name || "test" }, driver, connection?.spec) } as const);
    for await (const step of testConnection(app.core, { target, secrets: form.secrets }, stop.signal)) setRun(step);
  };
  const stopTest = () => {
    testing.current?.abort();
    setRun({ kind: "idle" });
  };
  const save = async (thenOpen: boolean, isSure = false) => {
    const driver = fit("save");
    if (driver === undefined || isSaving) return;
    const ends = isSure ? [] : endedBySaving(app, form, driver, connection);
    if (ends.length > 0) return setAsking({ titles: ends.map((tab) => tab.title), thenOpen });
    setAsking(undefined);
    setSaving(true);
    try {
      const { saved, notice } = await saveConnection(app, form, driver, connection, setConnection);
      onClose();
      if (notice !== "") app.toasts.say(notice);
      // It may be read now.
      if (saved !== undefined && app.schemas.store.getState().catalogs.get(saved.id)?.kind === "failed") void app.schemas.refresh(saved.id);
      if (saved !== undefined && thenOpen) {
        app.toggled.setState(new Set(app.toggled.getState()).add(saved.id), true);
        // One that leads elsewhere now has been forgotten.
        void app.schemas.open(saved.id);
        const canRun = app.runs.canRun.getState().value === true;
        if (canRun && app.tabs.active?.connectionId !== saved.id) app.tabs.open(saved.id);
      }
    } catch (error) {
      const heard = app.link.hear(error);
      const isChanged = heard?.reason === "CONNECTION_CHANGED" && connection !== undefined;
      if (isChanged) {
        await app.connections.load();
        setConnection(app.connections.find(connection.id) ?? connection);
      }
      setProblem(isChanged ? CHANGED : heard);
      setSaving(false);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (matches(SAVE_KEYS, event, MAC)) {
      event.preventDefault();
      void save(true);
    } else if (matches(TEST_KEYS, event, MAC)) {
      event.preventDefault();
      void test();
    }
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void save(true);
  };
  const moved = connection === undefined || info === undefined ? [] : movedFields(form, connection, info);
  const mend = (roles: readonly FormFieldRole[]) => {
    const field = info?.connectionForm.find(({ role }) => roles.includes(role));
    const control = document.getElementById(`parameter-${field?.name ?? ""}`);
    control?.focus();
    if (control instanceof HTMLInputElement) control.select();
  };

  return (
    <>
      <form className="dialog-body" noValidate ref={body} onSubmit={onSubmit} onKeyDown={onKeyDown}>
        <div className="head">
          <h2>{title}</h2>
          <UrlField form={form} drivers={drivers} onFill={setForm} />
          <Button label="Close" icon="close" iconOnly keys="Esc" onClick={onLeave} />
        </div>
        <div className="cols">
          <DriverTiles
            drivers={drivers.usable}
            chosen={form.driverType}
            onChoose={(driverType) => change({ driverType, ...(driverType === form.driverType ? {} : { values: {}, secrets: {} }) })}
            onImport={connection === undefined ? () => importConnections.run(app) : undefined}
          />
          {info === undefined ? (
            <div className="form">
              <p role="alert">The driver “{form.driverType}” is not installed any more.</p>
            </div>
          ) : (
            <ConnectionFields form={form} info={info} places={drivers.places} faults={faults} connection={connection} moved={moved} onChange={change} />
          )}
          <TestPanel run={run} isOld={tested.current !== undefined && !sameForm(tested.current, form)} isDialed={info?.networkNeed !== NetworkNeed.NONE} onMend={mend} />
        </div>
        {problem !== undefined && (
          <div className="note-bar danger" role="alert">
            <Icon name="error" />
            <div className="grow">
              <p className="tt">{problem.message}</p>
              <p>{problem.advice}</p>
            </div>
          </div>
        )}
        <div className="foot">
          {run.kind === "running" ? (
            <Button label="Stop" icon="stop" look="line" big onClick={stopTest} />
          ) : (
            <Button label={run.kind === "idle" ? "Test" : "Test again"} icon="refresh" look="line" big keys={fixedKeys(TEST_KEYS)} onClick={() => void test()} />
          )}
          <span className="grow" />
          <Button label="Cancel" big className="hide-phone" onClick={onLeave} />
          <Button label="Save" look="line" big disabled={isSaving} onClick={() => void save(false)} />
          <Button label="Save and open" look="primary" big type="submit" keys={fixedKeys(SAVE_KEYS)} disabled={isSaving} />
        </div>
      </form>
      {asking !== undefined && <EndSessionsDialog titles={asking.titles} onClose={() => setAsking(undefined)} onSave={() => void save(asking.thenOpen, true)} />}
    </>
  );
}

function sameForm(a: ConnectionForm, b: ConnectionForm): boolean {
  const text = (form: ConnectionForm) => JSON.stringify(form, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  return text({ ...a, name: "" }) === text({ ...b, name: "" });
}
