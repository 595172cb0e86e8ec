import type { App } from "../state/app.ts";
import type { Action } from "./action.ts";
import { ACTIONS } from "./all.ts";
import { type KeyPress, matches } from "./shortcut.ts";
import { whyNot } from "./shortcut_rule.ts";

/** Shortcuts in place of the page's own, by the names of actions. Empty: none. */
type Keys = Readonly<Record<string, string>>;

/** The shortcut that an action has unless the user chose another one. */
export function ownKey(action: Action, mac: boolean): string {
  return (mac ? action.macShortcut : undefined) ?? action.shortcut ?? "";
}

/**
 * The shortcuts of all actions, each given once. Chosen ones come before the page's own.
 *
 * What was chosen may come from another machine, on which other keys are free: what cannot be a shortcut here is passed over.
 */
export function shortcuts(keys: Keys, mac: boolean): ReadonlyMap<Action, string> {
  const given = new Map<string, Action>();
  const isChosen = (action: Action) => {
    const chosen = keys[action.name];
    return chosen !== undefined && (chosen === "" || whyNot(chosen, mac) === undefined);
  };
  const give = (action: Action, shortcut: string) => {
    if (shortcut !== "" && !given.has(shortcut)) given.set(shortcut, action);
  };
  for (const action of ACTIONS) if (isChosen(action)) give(action, keys[action.name] ?? "");
  for (const action of ACTIONS) if (!isChosen(action)) give(action, ownKey(action, mac));
  return new Map([...given].map(([shortcut, action]) => [action, shortcut]));
}

/** The shortcut of an action: the user's own, else the page's. */
export function shortcutFor(action: Action, keys: Keys, mac: boolean): string | undefined {
  return shortcuts(keys, mac).get(action);
}

/** The action that a key press asks for, if it can be done now. */
export function actionFor(app: App, press: KeyPress, mac: boolean): Action | undefined {
  const { keys } = app.layout.getState();
  const [action] = [...shortcuts(keys, mac)].find(([, shortcut]) => matches(shortcut, press, mac)) ?? [];
  return action === undefined || !(action.enabled?.(app) ?? true) ? undefined : action;
}

/** What else has a shortcut. */
export function takenBy(shortcut: string, action: Action, keys: Keys, mac: boolean): Action | undefined {
  return [...shortcuts(keys, mac)].find(([other, has]) => other !== action && has === shortcut)?.[0];
}

/** The keys when an action has a shortcut, and nothing else has it any more. An empty one: it has none. */
export function withKey(keys: Keys, action: Action, shortcut: string, mac: boolean): Keys {
  const loser = shortcut === "" ? undefined : takenBy(shortcut, action, keys, mac);
  const freed = loser === undefined ? keys : changed(keys, loser, "", mac);
  return changed(freed, action, shortcut, mac);
}

function changed(keys: Keys, action: Action, shortcut: string, mac: boolean): Keys {
  const { [action.name]: _, ...rest } = keys;
  return shortcut === ownKey(action, mac) ? rest : { ...rest, [action.name]: shortcut };
}
