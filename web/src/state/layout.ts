import { createStore, type StoreApi } from "zustand/vanilla";
import { keeps } from "./storage.ts";

export type Theme = "system" | "light" | "dark";
export type Density = "compact" | "normal" | "roomy";

/** How the page is laid out on this machine. Nothing of a query or a connection is in it. */
export interface Layout {
  readonly theme: Theme;
  readonly density: Density;
  readonly sidebarOpen: boolean;
  readonly sidebarWidth: number;
  readonly editorShare: number;
  /** The part of the width that the first of two panels has. */
  readonly panelShare: number;
  /** The size of the page's font in pixels, where it was designed for 13. */
  readonly textSize: number;
  /** The size of the editor's font in pixels. */
  readonly editorSize: number;
  readonly inspectorOpen: boolean;
  readonly inspectorWidth: number;
  /** Shortcuts in place of the page's own, by the names of actions. Empty: none. */
  readonly keys: Readonly<Record<string, string>>;
}

/** Where the page itself keeps it. */
export const LAYOUT_KEY = "querybox.layout";
export const TEXT_SIZES = [12, 13, 14, 16] as const;
const DEFAULTS: Layout = {
  theme: "system",
  density: "normal",
  sidebarOpen: true,
  sidebarWidth: 264,
  editorShare: 0.3,
  panelShare: 0.5,
  textSize: 13,
  editorSize: 13,
  inspectorOpen: true,
  inspectorWidth: 296,
  keys: {},
};

/** The height of rows in pixels: in the grid, the tree and menus. */
export function rowHeightOf({ density, textSize }: Pick<Layout, "density" | "textSize">): number {
  return ROW_HEIGHTS[density] + 2 * (textSize - DEFAULTS.textSize);
}
const ROW_HEIGHTS: Readonly<Record<Density, number>> = { compact: 22, normal: 26, roomy: 30 };

export type LayoutStore = StoreApi<Layout>;

/** The width of a page below which the sidebar is a drawer. */
export const DRAWER_BELOW = 860;

/** What is the same in all windows of a browser. How wide the parts of one are is its own. */
export const SHARED = ["theme", "density", "textSize", "editorSize", "keys"] as const satisfies readonly (keyof Layout)[];
/** How the parts of one window stand. */
export const OWN = [
  "sidebarOpen",
  "sidebarWidth",
  "editorShare",
  "panelShare",
  "inspectorOpen",
  "inspectorWidth",
] as const satisfies readonly Exclude<keyof Layout, (typeof SHARED)[number]>[];

/** The layout, remembered from page to page. What would cover a narrow page begins closed. */
export function makeLayout(storage: Pick<Storage, "getItem" | "setItem">, pageWidth: number): LayoutStore {
  const kept = parseLayout(storage.getItem(LAYOUT_KEY));
  const store = createStore<Layout>(() => ({
    ...kept,
    sidebarOpen: kept.sidebarOpen && pageWidth > DRAWER_BELOW,
  }));
  store.subscribe((now, before) => {
    // Another window may have written what it changed.
    const changed = Object.entries(now).filter(([name, value]) => value !== before[name as keyof Layout]);
    keeps(storage, LAYOUT_KEY, JSON.stringify({ ...parseLayout(storage.getItem(LAYOUT_KEY)), ...Object.fromEntries(changed) }));
  });
  return store;
}

/** Hears what another window of the browser has written down. */
export function hearLayout(store: LayoutStore, text: string | null): void {
  const now = store.getState();
  const theirs = parseLayout(text);
  const changed = SHARED.filter((name) => JSON.stringify(theirs[name]) !== JSON.stringify(now[name]));
  if (changed.length > 0) store.setState(Object.fromEntries(changed.map((name) => [name, theirs[name]])));
}

/** What was remembered, as far as it makes sense. */
export function parseLayout(text: string | null): Layout {
  let kept: Partial<Record<keyof Layout, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? "{}");
    if (typeof parsed === "object" && parsed !== null) kept = parsed;
  } catch {
    // What cannot be read is as good as nothing: it is only a layout.
  }
  const size = (value: unknown, least: number, most: number, otherwise: number) =>
    typeof value === "number" && value >= least && value <= most ? value : otherwise;
  const flag = (value: unknown, otherwise: boolean) => (typeof value === "boolean" ? value : otherwise);
  return {
    theme: kept.theme === "light" || kept.theme === "dark" ? kept.theme : "system",
    density: kept.density === "compact" || kept.density === "roomy" ? kept.density : "normal",
    sidebarOpen: flag(kept.sidebarOpen, DEFAULTS.sidebarOpen),
    sidebarWidth: size(kept.sidebarWidth, 180, 560, DEFAULTS.sidebarWidth),
    editorSize: size(kept.editorSize, 9, 32, DEFAULTS.editorSize),
    panelShare: size(kept.panelShare, 0.2, 0.8, DEFAULTS.panelShare),
    textSize: TEXT_SIZES.find((known) => known === kept.textSize) ?? DEFAULTS.textSize,
    keys: keysIn(kept.keys),
    editorShare: size(kept.editorShare, 0.1, 0.9, DEFAULTS.editorShare),
    inspectorOpen: flag(kept.inspectorOpen, DEFAULTS.inspectorOpen),
    inspectorWidth: size(kept.inspectorWidth, 200, 720, DEFAULTS.inspectorWidth),
  };
}

/** Shortcuts as far as they are texts. */
function keysIn(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
