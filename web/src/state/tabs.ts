import type { RunChoices } from "./run_choices.ts";
import { createStore, type StoreApi } from "zustand/vanilla";
import { keeps } from "./storage.ts";
import type { LostSession } from "./tab_session.ts";

/** A query on a connection. */
export interface Tab {
  readonly id: string;
  readonly title: string;
  readonly connectionId: string;
  readonly text: string;
  /** What it is kept as by Core. Absent: its own id. */
  readonly draftId?: string;
  /** The result that was run here last, found again after a reload. */
  readonly resultId?: string | undefined;
  /** Its result was run by another window, which may still show it: it is looked at here, and not dropped. */
  readonly isGuest?: true | undefined;
  /** The session that it keeps, found again after a reload. */
  readonly sessionId?: string | undefined;
  /** The session of the connection's tabs in which it ran last: a transaction there is its own. */
  readonly holds?: string | undefined;
  /** Its session is on the connection as it was before that was changed elsewhere, and ends with its transaction. */
  readonly isOld?: true | undefined;
  /** How the session ended that it kept last, until it has another one or is to have none: also after a reload nothing runs unasked without it. */
  readonly lost?: LostSession | undefined;
  /** Values of parameters, by name, as they were given last. `null`: NULL. */
  readonly parameters?: Readonly<Record<string, string | null>>;
  /** What was chosen for its runs. Absent: as the connection says. */
  readonly choices?: RunChoices;
  /** What runs there may be lost with Core: that it ran is remembered until its end was heard. */
  readonly runs?: boolean | undefined;
  /** How often its text was taken from another window: an editor begins anew with it. */
  readonly taken?: number;
  /** It stands in the second panel, at the right. Absent: in the first. */
  readonly second?: true | undefined;
}

export interface TabState {
  readonly tabs: readonly Tab[];
  /** The tab that is shown in the panel that is worked in. */
  readonly activeId: string | undefined;
  /** The tab that is shown in the other panel. Absent: there is one panel alone. */
  readonly otherId?: string | undefined;
  /** Tabs that were closed, the last one last. */
  readonly closed: readonly Tab[];
}

/** Where the page itself keeps them. */
export const TABS_KEY = "querybox.tabs";
/** What is left of the tabs where there is no room for their texts: runs and sessions are found again by it. */
export const HELD_KEY = "querybox.tabs.held";
const CLOSED_MAX = 20;
/** Texts of more characters are written down in pauses: the browser takes tens of milliseconds for some millions of them. */
const AT_ONCE_MAX = 100_000;
/** No more typing than this is lost where the browser itself dies, and Core may have it. */
const PAUSE_MS = 1_000;

type Held = Pick<Tab, "resultId" | "isGuest" | "sessionId" | "holds" | "isOld" | "lost" | "runs">;

/**
 * The open tabs, with what is typed in them.
 *
 * They live as long as the browser's own tab does, over reloads: what is typed is not written to a place that outlives it.
 */
export class Tabs {
  readonly store: StoreApi<TabState>;
  /** Whether the page has room for one panel alone, which shows the tabs of both. */
  readonly drawn: StoreApi<{ readonly one: boolean }> = createStore<{ readonly one: boolean }>(() => ({ one: false }));
  /** Whether the browser has no room for them: then a reload finds what Core keeps. */
  readonly isFull: StoreApi<{ readonly value: boolean }> = createStore<{ readonly value: boolean }>(() => ({ value: false }));
  /** Whether a page of this browser tab was here before. */
  readonly wereKept: boolean;
  /** What a page before this one had, by the names of drafts, whose texts only Core has: until they are restored. */
  private held: ReadonlyMap<string, Held>;
  private made = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** What is done once they are written down. */
  private readonly afterwards = new Set<() => void>();

  constructor(
    private readonly storage: Pick<Storage, "getItem" | "setItem">,
    private readonly makeId: () => string,
  ) {
    this.held = parseHeld(storage.getItem(HELD_KEY));
    this.wereKept = (storage.getItem(TABS_KEY) ?? "") !== "";
    this.store = createStore<TabState>(() => parseTabs(storage.getItem(TABS_KEY)));
    this.store.subscribe((state, before) => {
      if (!isTyping(state, before) || lengthOf(state) <= AT_ONCE_MAX) this.flush();
      else this.timer ??= setTimeout(() => this.flush(), PAUSE_MS);
    });
  }

  /** Writes the tabs down now, as a page does that goes. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.keep(this.store.getState());
    for (const act of this.afterwards) act();
    this.afterwards.clear();
  }

  /** Does something once all that is typed is written down. */
  whenWritten(act: () => void): void {
    if (this.timer === undefined) act();
    else this.afterwards.add(act);
  }

  /** Writes the tabs down for a reload: without those that were closed, where there is no room for them. */
  private keep(state: TabState): void {
    const { storage } = this;
    const isKept = [state, { ...state, closed: [] }].some((part) => keeps(storage, TABS_KEY, JSON.stringify(part)));
    // Old texts would be taken for new ones after a reload: with none at all, those that Core keeps are opened.
    if (!isKept) keeps(storage, TABS_KEY, "");
    const held = isKept ? [] : state.tabs.map((tab) => [draftOf(tab), heldOf(tab)] as const);
    const text = JSON.stringify([...this.held, ...held]);
    if (text !== (storage.getItem(HELD_KEY) ?? "[]")) keeps(storage, HELD_KEY, text);
    if (this.isFull.getState().value !== !isKept) this.isFull.setState({ value: !isKept });
  }

  /** Whether tabs that a page before this one had are still to come from Core. */
  get lacksSome(): boolean {
    return this.held.size > 0;
  }

  /** The drafts of tabs that a page before this one had, whose texts are still to come from Core. */
  get lacking(): ReadonlySet<string> {
    return new Set(this.held.keys());
  }

  get active(): Tab | undefined {
    const { tabs, activeId } = this.store.getState();
    return tabs.find((tab) => tab.id === activeId);
  }

  open(connectionId: string, text = "", title?: string): Tab {
    const { tabs } = this.store.getState();
    const { active } = this;
    const plain: Tab = { id: this.makeId(), title: title ?? this.freeTitle(tabs), connectionId, text };
    const tab = active?.second === true ? { ...plain, second: true as const } : plain;
    const after = tabs.findIndex((other) => other.id === active?.id);
    const at = after < 0 ? tabs.length : after + 1;
    this.settle({ tabs: tabs.toSpliced(at, 0, tab), activeId: tab.id });
    return tab;
  }

  /** Shows a tab in its panel, which is worked in from now on. */
  activate(id: string): void {
    const { tabs, activeId, otherId } = this.store.getState();
    const tab = tabs.find((other) => other.id === id);
    if (tab === undefined || id === activeId) return;
    const crosses = tab.second !== this.active?.second;
    this.store.setState({ activeId: id, otherId: crosses ? activeId : otherId });
  }

  /** The tab `step` places further in the panel that is worked in, around the ends. */
  step(step: number): void {
    const { activeId } = this.store.getState();
    const beside = this.inPanelOf(this.active);
    const at = beside.findIndex((tab) => tab.id === activeId);
    const next = beside[(at + step + beside.length) % Math.max(1, beside.length)];
    if (next !== undefined) this.activate(next.id);
  }

  /** Moves a tab to the other panel, which is made for it where there is none. */
  cross(id: string): void {
    const { tabs, activeId, otherId } = this.store.getState();
    const tab = tabs.find((other) => other.id === id);
    // One tab alone would only wander about.
    if (tab === undefined || tabs.length < 2) return;
    const { second } = tab;
    const moved: Tab = second === true ? inFirst(tab) : { ...tab, second: true };
    const shown = [activeId, otherId].find((candidate) => candidate !== id && tabs.find((other) => other.id === candidate)?.second === second);
    // The panel that it leaves shows what was beside it.
    const beside = shown ?? neighborOf(tab, tabs.filter((other) => other.second === second))?.id;
    this.settle({ tabs: tabs.map((other) => (other.id === id ? moved : other)), activeId: id, otherId: beside });
  }

  /** Goes to the panel that is not worked in. */
  other(): void {
    const { otherId } = this.store.getState();
    if (otherId !== undefined) this.activate(otherId);
  }

  change(id: string, change: Partial<Omit<Tab, "id">>): void {
    const { tabs } = this.store.getState();
    this.store.setState({ tabs: tabs.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)) });
  }

  /** Opens tabs that were kept elsewhere. */
  restore(tabs: readonly Tab[]): void {
    const { tabs: open, activeId } = this.store.getState();
    const here = tabs.map((tab): Tab => {
      const held = this.held.get(draftOf(tab));
      return held === undefined ? tab : { ...tab, isGuest: undefined, ...held };
    });
    const come = new Set(here.map(draftOf));
    this.held = new Map([...this.held].filter(([draftId]) => !come.has(draftId)));
    const all = [...here, ...open];
    this.settle({ tabs: all, activeId: activeId ?? all[0]?.id });
  }

  /** Hears which texts are still to come from Core: those of `draftIds`, and what a page before this one had and `mayCome`. */
  expect(draftIds: ReadonlySet<string>, mayCome: (draftId: string) => boolean): void {
    const kept = [...this.held].filter(([draftId]) => draftIds.has(draftId) || mayCome(draftId));
    const more = [...draftIds].filter((draftId) => !this.held.has(draftId)).map((draftId) => [draftId, {}] as const);
    if (kept.length === this.held.size && more.length === 0) return;
    this.held = new Map<string, Held>([...kept, ...more]);
    this.flush();
  }

  /** Arranges the open tabs in panels. Tabs that are not there are passed over. */
  arrange(second: ReadonlySet<string>, activeId: string | undefined, otherId: string | undefined): void {
    const tabs = this.store.getState().tabs.map((tab): Tab => (second.has(tab.id) ? { ...tab, second: true } : inFirst(tab)));
    this.settle({ tabs, activeId: tabs.some(({ id }) => id === activeId) ? activeId : tabs[0]?.id, otherId });
  }

  /** Puts a tab in the place of another one. One from the other panel is put before it. */
  move(id: string, toId: string): void {
    const { tabs } = this.store.getState();
    const from = tabs.findIndex((tab) => tab.id === id);
    const to = tabs.findIndex((tab) => tab.id === toId);
    const [tab, place] = [tabs[from], tabs[to]];
    if (tab === undefined || place === undefined) return;
    const crosses = tab.second !== place.second;
    const at = crosses && from < to ? to - 1 : to;
    this.store.setState({ tabs: tabs.toSpliced(from, 1).toSpliced(at, 0, tab) });
    if (crosses) this.cross(id);
  }

  close(id: string): void {
    const { tabs, activeId, otherId, closed } = this.store.getState();
    const tab = tabs.find((other) => other.id === id);
    if (tab === undefined) return;
    const neighbor = neighborOf(tab, this.inPanelOf(tab))?.id;
    this.settle({
      tabs: tabs.filter((other) => other.id !== id),
      activeId: activeId === id ? (neighbor ?? otherId) : activeId,
      otherId: otherId === id ? neighbor : otherId,
      closed: [...closed, plainOf(tab)].slice(-CLOSED_MAX),
    });
  }

  /** The other tabs of the panel that a tab stands in. */
  beside(id: string): readonly Tab[] {
    const tab = this.store.getState().tabs.find((other) => other.id === id);
    return tab === undefined ? [] : this.inPanelOf(tab).filter((other) => other.id !== id);
  }

  /** The tabs that are drawn together with one. */
  private inPanelOf(tab: Tab | undefined): readonly Tab[] {
    const { tabs } = this.store.getState();
    return this.drawn.getState().one ? tabs : tabs.filter((other) => other.second === tab?.second);
  }

  /** Closes the empty tabs of a connection that is gone. What is typed in the others is good for another one. */
  forget(connectionId: string): void {
    for (const tab of this.store.getState().tabs) if (tab.connectionId === connectionId && tab.text.trim() === "") this.close(tab.id);
  }

  reopen(): void {
    const { tabs, closed } = this.store.getState();
    const tab = closed.at(-1);
    if (tab === undefined) return;
    const here: Tab = this.active?.second === true ? { ...tab, second: true } : tab;
    this.settle({ tabs: [...tabs, here], activeId: tab.id, closed: closed.slice(0, -1) });
  }

  private settle(change: Partial<TabState>): void {
    this.store.setState(settled({ ...this.store.getState(), ...change }), true);
  }

  private freeTitle(tabs: readonly Tab[]): string {
    const taken = new Set(tabs.map((tab) => tab.title));
    for (;;) {
      const title = `Query ${++this.made}`;
      if (!taken.has(title)) return title;
    }
  }
}

/** The draft that a tab is kept as. */
export function draftOf({ id, draftId }: Tab): string {
  return draftId ?? id;
}

function inFirst({ second: _second, ...tab }: Tab): Tab {
  return tab;
}

/** What is kept of a closed tab: its result and its session go with it. */
function plainOf({ resultId: _resultId, sessionId: _sessionId, holds: _holds, isOld: _isOld, lost: _lost, runs: _runs, isGuest: _isGuest, ...tab }: Tab): Tab {
  return inFirst(tab);
}

/** The tab that takes the place of one that goes from among those beside it. */
function neighborOf(tab: Tab, beside: readonly Tab[]): Tab | undefined {
  const at = beside.findIndex((other) => other.id === tab.id);
  return beside[at + 1] ?? beside[at - 1];
}

/** The state with its panels put right: either both have tabs and show one, or there is one alone. */
function settled(state: TabState): TabState {
  const { tabs } = state;
  const active = tabs.find((tab) => tab.id === state.activeId) ?? tabs[0];
  const others = tabs.filter((tab) => tab.second !== active?.second);
  if (others.length === 0) {
    const plain = tabs.some(({ second }) => second === true) ? tabs.map(inFirst) : tabs;
    return { tabs: plain, activeId: active?.id, otherId: undefined, closed: state.closed };
  }
  const other = others.find((tab) => tab.id === state.otherId) ?? others[0];
  return { tabs, activeId: active?.id, otherId: other?.id, closed: state.closed };
}

function heldOf({ resultId, isGuest, sessionId, holds, isOld, lost, runs }: Tab): Held {
  return { resultId, isGuest, sessionId, holds, isOld, lost, runs };
}

/** Whether nothing but texts differs. */
function isTyping({ tabs, ...rest }: TabState, before: TabState): boolean {
  const isSame = rest.activeId === before.activeId && rest.otherId === before.otherId && rest.closed === before.closed && tabs.length === before.tabs.length;
  const isHeldSame = (tab: Tab, was: Tab | undefined) =>
    tab === was || (tab.id === was?.id && JSON.stringify(heldOf(tab)) === JSON.stringify(heldOf(was)));
  return isSame && tabs.every((tab, index) => isHeldSame(tab, before.tabs[index]));
}

/** How many characters of texts are to be written down. */
function lengthOf({ tabs, closed }: TabState): number {
  return [...tabs, ...closed].reduce((sum, { text }) => sum + text.length, 0);
}

export function parseTabs(text: string | null): TabState {
  const nothing: TabState = { tabs: [], activeId: undefined, closed: [] };
  try {
    const kept: unknown = JSON.parse(text ?? "null");
    if (typeof kept !== "object" || kept === null) return nothing;
    const { tabs, activeId, otherId, closed } = kept as Record<string, unknown>;
    const good = (list: unknown): readonly Tab[] => (Array.isArray(list) ? list.filter(isTab) : []);
    const name = (id: unknown) => (typeof id === "string" ? id : undefined);
    return settled({ tabs: good(tabs), activeId: name(activeId), otherId: name(otherId), closed: good(closed) });
  } catch {
    return nothing;
  }
}

function parseHeld(text: string | null): ReadonlyMap<string, Held> {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    const entries = Array.isArray(kept) ? kept : [];
    return new Map(entries.filter((entry): entry is [string, Held] => Array.isArray(entry) && typeof entry[0] === "string" && typeof entry[1] === "object"));
  } catch {
    return new Map();
  }
}

function isTab(value: unknown): value is Tab {
  const words: readonly (keyof Tab)[] = ["id", "title", "connectionId", "text"];
  if (typeof value !== "object" || value === null) return false;
  const isText = (word: keyof Tab) => typeof Reflect.get(value, word) === "string";
  const second: unknown = Reflect.get(value, "second");
  return (second === undefined || second === true) && words.every(isText) && areChoices(Reflect.get(value, "choices")) && areValues(Reflect.get(value, "parameters"));
}

function areValues(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).every((text) => text === null || typeof text === "string");
}

function areChoices(value: unknown): value is RunChoices | undefined {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  const [deadline, rows, onError]: readonly unknown[] = [Reflect.get(value, "deadline"), Reflect.get(value, "rows"), Reflect.get(value, "onError")];
  if (onError !== undefined && onError !== "go-on") return false;
  const isRows = rows === "connection" || Number.isSafeInteger(rows);
  return isRows && (deadline === "connection" || deadline === "none" || Number.isSafeInteger(deadline));
}
