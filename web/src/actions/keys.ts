import type { App } from "../state/app.ts";
import type { Action } from "./action.ts";
import { ACTIONS } from "./all.ts";
import { type KeyPress, matches } from "./shortcut.ts";

/** Shortcuts in place of the page's own, by the names of actions. Empty: none. */
type Keys = Readonly<Record<string, string>>;

/** The shortcut of an action: the user's own, else the page's. */
export function shortcutFor(action: Action, keys: Keys): string | undefined {
  const chosen = keys[action.name] ?? action.shortcut;
  return chosen === "" ? undefined : chosen;
}

/** The action that a key press asks for, if it can be done now. */
export function actionFor(app: App, press: KeyPress, mac: boolean): Action | undefined {
  const { keys } = app.layout.getState();
  const action = ACTIONS.find((candidate) => {
    const shortcut = shortcutFor(candidate, keys);
    return shortcut !== undefined && matches(shortcut, press, mac);
  });
  return action === undefined || !(action.enabled?.(app) ?? true) ? undefined : action;
}

/** What else has a shortcut. */
export function takenBy(shortcut: string, action: Action, keys: Keys): Action | undefined {
  return ACTIONS.find((other) => other !== action && shortcutFor(other, keys) === shortcut);
}

/** The keys when an action has a shortcut, and nothing else has it any more. An empty one: it has none. */
export function withKey(keys: Keys, action: Action, shortcut: string): Keys {
  const loser = shortcut === "" ? undefined : takenBy(shortcut, action, keys);
  const freed = loser === undefined ? keys : changed(keys, loser, "");
  return changed(freed, action, shortcut);
}

/** The keys when an action has the page's own shortcut again, and nothing else has it. */
export function withOwnKey(keys: Keys, action: Action): Keys {
  return withKey(keys, action, action.shortcut ?? "");
}

function changed(keys: Keys, action: Action, shortcut: string): Keys {
  const { [action.name]: _, ...rest } = keys;
  return shortcut === (action.shortcut ?? "") ? rest : { ...rest, [action.name]: shortcut };
}
