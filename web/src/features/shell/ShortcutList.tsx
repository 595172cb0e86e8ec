import { type KeyboardEvent, useRef, useState } from "react";
import type { Action } from "../../actions/action.ts";
import { ACTIONS } from "../../actions/all.ts";
import { ownKey, shortcutFor, takenBy, withKey } from "../../actions/keys.ts";
import { shortcutOf } from "../../actions/shortcut.ts";
import { whyNot } from "../../actions/shortcut_rule.ts";
import { Button } from "../../ui/Button.tsx";
import { fixedKeys, MAC, useApp, usePart } from "../AppContext.ts";

/** What is being chosen for an action. */
interface Choosing {
  readonly action: Action;
  readonly shortcut?: string;
  /** Why what was pressed cannot be chosen. */
  readonly why?: string;
  /** What has it now. */
  readonly taken?: Action | undefined;
}

/** Every action with its shortcut, which is changed by pressing another one. */
export function ShortcutList() {
  const app = useApp();
  const keys = usePart(app.layout, (layout) => layout.keys);
  const [choosing, setChoosing] = useState<Choosing>();
  const list = useRef<HTMLUListElement>(null);
  const isChanged = Object.keys(keys).length > 0;
  /** The keys that are pressed next are chosen: they have to come here, also where a click gives a button no focus. */
  const focus = (action: Action) => list.current?.querySelector<HTMLElement>(`[data-key-of="${CSS.escape(action.name)}"]`)?.focus();
  const give = (action: Action, shortcut: string) => {
    app.layout.setState({ keys: withKey(app.layout.getState().keys, action, shortcut, MAC) });
    setChoosing(undefined);
    focus(action);
  };
  /** Gives it unless another action has it: then it is asked about. */
  const offer = (action: Action, shortcut: string) => {
    const taken = shortcut === "" ? undefined : takenBy(shortcut, action, keys, MAC);
    if (taken === undefined) return give(action, shortcut);
    setChoosing({ action, shortcut, taken });
    focus(action);
  };
  const onKeyDown = (action: Action) => (event: KeyboardEvent) => {
    if (choosing?.action !== action) return;
    const { key, nativeEvent } = event;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    // What moves the focus goes on doing so, and ends the choosing.
    if (key === "Tab") return setChoosing(undefined);
    // Enter and the space bar press the buttons below.
    if (isPlain && (key === "Enter" || key === " ") && choosing.shortcut !== undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (isPlain && key === "Escape") return setChoosing(undefined);
    if (isPlain && (key === "Backspace" || key === "Delete")) return give(action, "");
    const shortcut = shortcutOf(nativeEvent, MAC);
    if (shortcut === undefined) return;
    const why = whyNot(shortcut, MAC);
    if (why === undefined) offer(action, shortcut);
    else setChoosing({ action, shortcut, why });
  };
  return (
    <>
      <div className="keys-head">
        <h3>Shortcuts</h3>
        <span className="grow" />
        {isChanged && <Button label="Reset all" onClick={() => app.layout.setState({ keys: {} })} />}
      </div>
      <ul className="keys" ref={list}>
        {ACTIONS.map((action) => {
          const shortcut = shortcutFor(action, keys, MAC);
          const now = choosing?.action === action ? choosing : undefined;
          const shown = now === undefined ? shortcut : now.shortcut;
          const text = shown !== undefined ? fixedKeys(shown) : now === undefined ? "None" : "Press keys";
          return (
            <li key={action.name} onKeyDown={onKeyDown(action)}>
              <span className="grow">{action.name}</span>
              {keys[action.name] !== undefined && now === undefined && (
                <Button label={`Reset ${action.name}`} icon="back" iconOnly onClick={() => offer(action, ownKey(action, MAC))} />
              )}
              <button
                type="button"
                className={now === undefined ? "key-cap" : "key-cap on"}
                aria-label={`Shortcut of ${action.name}: ${text}`}
                data-key-of={action.name}
                title="Change it"
                onClick={() => {
                  setChoosing(now === undefined ? { action } : undefined);
                  focus(action);
                }}
              >
                {shown === undefined ? text : <kbd>{text}</kbd>}
              </button>
              {now !== undefined && (
                <p className="key-say" role="status">
                  {now.shortcut === undefined && "Backspace for none, Esc to leave it as it is."}
                  {now.why !== undefined && `Not these: ${now.why}. Press others.`}
                  {now.taken !== undefined && (
                    <>
                      They are those of “{now.taken.name}”.{" "}
                      <Button label="Take them" look="line" onClick={() => give(action, now.shortcut ?? "")} />
                    </>
                  )}
                </p>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}
