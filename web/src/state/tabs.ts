import type { RunChoices } from "./run_choices.ts";
import { createStore, type StoreApi } from "zustand/vanilla";

/** A query on a connection. */
export interface Tab {
  readonly id: string;
  readonly title: string;
  readonly connectionId: string;
  readonly text: string;
  /** What it is kept as by Core. Absent: its own id. */
  readonly draftId?: string;
  /** The result that was run here last, found again after a reload. */
  readonly resultId?: string;
  /** The session that it keeps, found again after a reload. */
  readonly sessionId?: string | undefined;
  /** Values of parameters, by name, as they were given last. `null`: NULL. */
  readonly parameters?: Readonly<Record<string, string | null>>;
  /** What was chosen for its runs. Absent: as the connection says. */
  readonly choices?: RunChoices;
}

export interface TabState {
  readonly tabs: readonly Tab[];
  readonly activeId: string | undefined;
  /** Tabs that were closed, the last one last. */
  readonly closed: readonly Tab[];
}

const KEY = "querybox.tabs";
const CLOSED_MAX = 20;

/**
 * The open tabs, with what is typed in them.
 *
 * They live as long as the browser's own tab does, over reloads: what is typed is not written to a place that outlives it.
 */
export class Tabs {
  readonly store: StoreApi<TabState>;
  /** Whether a page of this browser tab was here before. */
  readonly wereKept: boolean;
  private made = 0;

  constructor(
    storage: Pick<Storage, "getItem" | "setItem">,
    private readonly makeId: () => string,
  ) {
    this.wereKept = storage.getItem(KEY) !== null;
    this.store = createStore<TabState>(() => parseTabs(storage.getItem(KEY)));
    this.store.subscribe((state) => storage.setItem(KEY, JSON.stringify(state)));
  }

  get active(): Tab | undefined {
    const { tabs, activeId } = this.store.getState();
    return tabs.find((tab) => tab.id === activeId);
  }

  open(connectionId: string, text = "", title?: string): Tab {
    const { tabs, closed } = this.store.getState();
    const tab: Tab = { id: this.makeId(), title: title ?? this.freeTitle(tabs), connectionId, text };
    const after = tabs.findIndex((other) => other.id === this.active?.id);
    const at = after < 0 ? tabs.length : after + 1;
    this.store.setState({ tabs: tabs.toSpliced(at, 0, tab), activeId: tab.id, closed }, true);
    return tab;
  }

  activate(id: string): void {
    this.store.setState({ activeId: id });
  }

  /** The tab `step` places further, around the ends. */
  step(step: number): void {
    const { tabs, activeId } = this.store.getState();
    const at = tabs.findIndex((tab) => tab.id === activeId);
    const next = tabs[(at + step + tabs.length) % Math.max(1, tabs.length)];
    if (next !== undefined) this.activate(next.id);
  }

  change(id: string, change: Partial<Omit<Tab, "id">>): void {
    const { tabs } = this.store.getState();
    this.store.setState({ tabs: tabs.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)) });
  }

  /** Opens tabs that were kept elsewhere. */
  restore(tabs: readonly Tab[]): void {
    const { tabs: open, activeId } = this.store.getState();
    const all = [...tabs, ...open];
    this.store.setState({ tabs: all, activeId: activeId ?? all[0]?.id });
  }

  /** Puts a tab in the place of another one. */
  move(id: string, toId: string): void {
    const { tabs } = this.store.getState();
    const from = tabs.findIndex((tab) => tab.id === id);
    const to = tabs.findIndex((tab) => tab.id === toId);
    const tab = tabs[from];
    if (tab === undefined || to < 0) return;
    this.store.setState({ tabs: tabs.toSpliced(from, 1).toSpliced(to, 0, tab) });
  }

  close(id: string): void {
    const { tabs, activeId, closed } = this.store.getState();
    const at = tabs.findIndex((tab) => tab.id === id);
    const tab = tabs[at];
    if (tab === undefined) return;
    const left = tabs.toSpliced(at, 1);
    const neighbor = left[Math.min(at, left.length - 1)];
    this.store.setState(
      {
        tabs: left,
        activeId: activeId === id ? neighbor?.id : activeId,
        closed: [...closed, tab].slice(-CLOSED_MAX),
      },
      true,
    );
  }

  /** Closes what belongs to a connection that is gone. It is not opened again. */
  forget(connectionId: string): void {
    for (const tab of this.store.getState().tabs) if (tab.connectionId === connectionId) this.close(tab.id);
    const { closed } = this.store.getState();
    this.store.setState({ closed: closed.filter((tab) => tab.connectionId !== connectionId) });
  }

  reopen(): void {
    const { tabs, closed } = this.store.getState();
    const tab = closed.at(-1);
    if (tab === undefined) return;
    this.store.setState({ tabs: [...tabs, tab], activeId: tab.id, closed: closed.slice(0, -1) }, true);
  }

  private freeTitle(tabs: readonly Tab[]): string {
    const taken = new Set(tabs.map((tab) => tab.title));
    for (;;) {
      const title = `Query ${++this.made}`;
      if (!taken.has(title)) return title;
    }
  }
}

export function parseTabs(text: string | null): TabState {
  const nothing: TabState = { tabs: [], activeId: undefined, closed: [] };
  try {
    const kept: unknown = JSON.parse(text ?? "null");
    if (typeof kept !== "object" || kept === null) return nothing;
    const { tabs, activeId, closed } = kept as Record<string, unknown>;
    const good = (list: unknown): readonly Tab[] => (Array.isArray(list) ? list.filter(isTab) : []);
    const open = good(tabs);
    const active = open.find((tab) => tab.id === activeId) ?? open[0];
    return { tabs: open, activeId: active?.id, closed: good(closed) };
  } catch {
    return nothing;
  }
}

function isTab(value: unknown): value is Tab {
  const words: readonly (keyof Tab)[] = ["id", "title", "connectionId", "text"];
  if (typeof value !== "object" || value === null) return false;
  const isText = (word: keyof Tab) => typeof Reflect.get(value, word) === "string";
  return words.every(isText) && areChoices(Reflect.get(value, "choices")) && areValues(Reflect.get(value, "parameters"));
}

function areValues(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).every((text) => text === null || typeof text === "string");
}

function areChoices(value: unknown): value is RunChoices | undefined {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  const [deadline, rows]: readonly unknown[] = [Reflect.get(value, "deadline"), Reflect.get(value, "rows")];
  const isRows = rows === "connection" || Number.isSafeInteger(rows);
  return isRows && (deadline === "connection" || deadline === "none" || Number.isSafeInteger(deadline));
}
