import { type KeyboardEvent, useState } from "react";
import type { Action } from "../../actions/action.ts";
import { ACTIONS } from "../../actions/all.ts";
import { shortcutFor, takenBy, withKey, withOwnKey } from "../../actions/keys.ts";
import { shortcutOf, whyNot } from "../../actions/shortcut.ts";
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
  const isChanged = Object.keys(keys).length > 0;
  const give = (action: Action, shortcut: string) => {
    app.layout.setState({ keys: withKey(app.layout.getState().keys, action, shortcut) });
    setChoosing(undefined);
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
    const why = whyNot(shortcut);
    const taken = takenBy(shortcut, action, keys);
    if (why !== undefined) setChoosing({ action, shortcut, why });
    else if (taken !== undefined) setChoosing({ action, shortcut, taken });
    else give(action, shortcut);
  };
  return (
    <>
      <div className="keys-head">
        <h3>Shortcuts</h3>
        <span className="grow" />
        {isChanged && <Button label="Reset all" onClick={() => app.layout.setState({ keys: {} })} />}
      </div>
      <ul className="keys">
        {ACTIONS.map((action) => {
          const shortcut = shortcutFor(action, keys);
          const now = choosing?.action === action ? choosing : undefined;
          const shown = now === undefined ? shortcut : now.shortcut;
          const text = shown !== undefined ? fixedKeys(shown) : now === undefined ? "None" : "Press keys";
          return (
            <li key={action.name} onKeyDown={onKeyDown(action)}>
              <span className="grow">{action.name}</span>
              {keys[action.name] !== undefined && now === undefined && (
                <Button label={`Reset ${action.name}`} icon="back" iconOnly onClick={() => app.layout.setState({ keys: withOwnKey(keys, action) })} />
              )}
              <button
                type="button"
                className={now === undefined ? "key-cap" : "key-cap on"}
                aria-label={`Shortcut of ${action.name}: ${text}`}
                title="Change it"
                onClick={() => setChoosing(now === undefined ? { action } : undefined)}
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
