import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { App } from "../state/app.ts";
import type { StoreApi } from "zustand/vanilla";
import type { Action } from "../actions/action.ts";
import { shortcutFor } from "../actions/keys.ts";
import { isMac, shown } from "../actions/shortcut.ts";

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("the root provides the app");
  return app;
}

/** The part of a store that a component shows. */
export function usePart<S, T>(store: StoreApi<S>, part: (state: S) => T): T {
  return useStore(store, part);
}

export const MAC = isMac(navigator.platform);

/** A shortcut that cannot be chosen otherwise, as this platform writes it. */
export function fixedKeys(shortcut: string): string {
  return shown(shortcut, MAC);
}

/** Tells the shortcut of an action, as the user has chosen it and this platform writes it. */
export function useKeys(): (action: Action) => string | undefined {
  const keys = usePart(useApp().layout, (layout) => layout.keys);
  return (action) => {
    const shortcut = shortcutFor(action, keys, MAC);
    return shortcut === undefined ? undefined : shown(shortcut, MAC);
  };
}
