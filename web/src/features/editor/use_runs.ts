import { useRef, useState } from "react";
import type { Span } from "../../gen/plugin/v1/plugin_pb.ts";
import { environmentOf } from "../../state/connections.ts";
import { dangerOf } from "../../state/danger.ts";
import { type EditorNow, NOT_RUN, whenEnded } from "../../state/pressed.ts";
import { type PressedOn, pressedOn, whyNotThere } from "../../state/pressed_on.ts";
import { type Ran, whyNotAgain } from "../../state/run_again.ts";
import { AS_CONNECTION, optionsOf, type RunChoices } from "../../state/run_choices.ts";
import { againOf, NOT_WANTED, type NotWanted, outlineOf, parametersOf, type Wanted } from "../../state/scripts.ts";
import { useApp } from "../AppContext.ts";

/** Something that is to run. */
interface Order {
  readonly wanted: Wanted;
  readonly chosen: RunChoices;
  readonly on: PressedOn;
  /** Hears of the result when something has run. */
  readonly onSent?: (resultId: string) => void;
}

interface RunsOfPage {
  readonly tabId: string;
  readonly driverType: string;
  readonly choices: RunChoices;
  readonly wanted: (pressed: EditorNow, isAll: boolean) => Promise<Wanted | NotWanted>;
  /** What ran there before. */
  readonly ran: () => Ran | undefined;
  /** What the editor has. */
  readonly now: () => EditorNow | undefined;
  /** The field of a value that is not given yet, if it is shown. */
  readonly missingField: () => HTMLElement | undefined;
  readonly onSend: () => void;
}

/** Runs what a tab's page is asked for, as it was meant, or says why not. */
export function useRuns({ tabId, driverType, choices, wanted, ran, now, missingField, onSend }: RunsOfPage) {
  const app = useApp();
  /** Since when Core is asked where the statements lie that are to be run. */
  const [readSince, setReadSince] = useState<number>();
  const [asked, setAsked] = useState<{ readonly order: Order; readonly what: string }>();
  /** The result of which every row is to be exported, as soon as it has some. */
  const [exported, setExported] = useState<string>();
  /** Core is asked what is to be run. */
  const reads = useRef(false);
  const tabNow = () => app.tabs.store.getState().tabs.find(({ id }) => id === tabId);
  const refuse = (why: string) => app.toasts.fail("Nothing was run", why);
  const send = async ({ wanted: { sql, offset, statements, bindings: before }, chosen, on, onSent }: Order) => {
    const why = whyNotThere(app, tabId, on);
    if (why !== undefined) return refuse(why);
    const tab = tabNow();
    if (tab === undefined) return;
    onSend();
    const given = tab.parameters ?? {};
    const bindings = before ?? parametersOf({ statements }).map((name) => ({ name, value: given[name] ?? null }));
    const script = { sql, offset, bindings, ...on, goesOn: chosen.onError === "go-on", ...(statements.length === 0 ? {} : { statementCount: statements.length }) };
    const problem = await app.runs.run(tab, script, optionsOf(chosen));
    if (problem !== undefined) app.toasts.fail(problem.message, problem.advice);
    const resultId = tabNow()?.resultId;
    if (resultId !== undefined && resultId !== tab.resultId) onSent?.(resultId);
  };
  const begin = async (pick: (pressed: EditorNow) => Promise<Wanted | NotWanted>, chosen = choices, onSent?: Order["onSent"]) => {
    const on = pressedOn(app, tabId);
    const values = tabNow()?.parameters;
    const pressed = await whenEnded(app.runs, tabId, now);
    if (pressed === "runs") return;
    if (on === undefined) return refuse("The connection of this tab is not there. Choose another one in the toolbar.");
    if (typeof pressed === "string") return refuse(NOT_RUN[pressed]);
    // Whoever presses twice asks once.
    if (reads.current) return;
    reads.current = true;
    setReadSince(Date.now());
    const tab = tabNow();
    const [found, unknown] = await Promise.all([pick(pressed), tab && app.runs.known(tab)]).finally(() => {
      reads.current = false;
      setReadSince(undefined);
    });
    const why = whyNotThere(app, tabId, on);
    if (why !== undefined) return refuse(why);
    if (unknown !== undefined) return app.toasts.fail(unknown.message, unknown.advice);
    if (found === "none") return app.toasts.say("No statement stands at the cursor");
    if (typeof found === "string") return refuse(NOT_WANTED[found]);
    if (found.sql.trim() === "") return app.toasts.say("There is nothing to run");
    const missing = found.bindings === undefined ? parametersOf(found).find((name) => values?.[name] === undefined) : undefined;
    if (missing !== undefined) {
      const field = missingField();
      // It is a field of the statement at the cursor alone.
      if (field === undefined) refuse(`The parameter ${missing} has no value. Put the cursor at its statement to give it one.`);
      else field.focus();
      return;
    }
    const environment = environmentOf(app.connections.find(on.connectionId)?.spec);
    const what = environment === "amber" || environment === "red" ? dangerOf(found.sql) : undefined;
    const order = { wanted: found, chosen, on, ...(onSent === undefined ? {} : { onSent }) };
    if (what === undefined) void send(order);
    else setAsked({ order, what });
  };
  const start = (isAll: boolean) => begin((pressed) => wanted(pressed, isAll));
  /** Runs again what ran before, or the statement of it that lies at `span`: the cursor may be at another one by now. */
  const again = (span?: Span, chosen?: RunChoices, onSent?: Order["onSent"]) => {
    const before = ran();
    const why = whyNotAgain(app, before, tabNow()?.connectionId ?? "");
    if (before === undefined || why !== undefined) return refuse(why ?? "");
    const pick = async () => againOf(await outlineOf(app.core, driverType, before.sql, 0, new AbortController().signal), before, span);
    void begin(pick, chosen, onSent);
  };
  const againWhole = (span: Span | undefined, isExported: boolean) =>
    again(span, { ...choices, rows: 0 }, (resultId) => {
      app.tabs.change(tabId, { choices: { ...(tabNow()?.choices ?? AS_CONNECTION), rows: 0 } });
      if (isExported) setExported(resultId);
    });
  const danger = asked === undefined ? undefined : { what: asked.what, sql: asked.order.wanted.sql, onRun: () => void send(asked.order), onClose: () => setAsked(undefined) };
  return { readSince, danger, exported, start, again, againWhole };
}
