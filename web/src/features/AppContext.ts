import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { App } from "../state/app.ts";
import type { StoreApi } from "zustand/vanilla";
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

/** A shortcut as this platform writes it. */
export function keysOf(shortcut: string | undefined): string | undefined {
  return shortcut === undefined ? undefined : shown(shortcut, MAC);
}
