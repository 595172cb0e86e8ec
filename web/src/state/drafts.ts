import { createStore, type StoreApi } from "zustand/vanilla";
import { type Draft, DraftKind, TextKeeping } from "../gen/core/v1/draft_pb.ts";
import type { Core } from "../transport/core.ts";
import type { LinkKeeper } from "./link.ts";
import { parseTabs, type Tab, type Tabs } from "./tabs.ts";
import type { Toasts } from "./toasts.ts";

/** How Core keeps what is typed. `unknown`: it was not asked yet, or keeps nothing. */
export type Keeping = "unknown" | "sealed" | "memory" | "plain";

const KEEPING: Readonly<Record<TextKeeping, Keeping>> = {
  [TextKeeping.UNSPECIFIED]: "unknown",
  [TextKeeping.SEALED]: "sealed",
  [TextKeeping.MEMORY]: "memory",
  [TextKeeping.PLAIN]: "plain",
};

/** Time without a key press before a text is saved. */
const PAUSE_MS = 400;
/** A browser has few connections. */
const READS_MAX = 4;
const REVISIONS = "querybox.drafts";

/**
 * Keeps what is typed in Core as well: a page that is closed, a browser that dies, and another machine find it again.
 *
 * A tab is a draft. Who changes a draft that somebody else changed meanwhile keeps his own text as another one:
 * nothing that was typed is overwritten.
 */
export class Drafts {
  readonly keeping: StoreApi<{ readonly value: Keeping }> = createStore<{ readonly value: Keeping }>(() => ({ value: "unknown" }));
  /** The revisions that were seen last. */
  private readonly revisions: Map<string, bigint>;
  /** What was saved last. */
  private readonly saved = new Map<string, string>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly busy = new Set<string>();
  private isOn = false;

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly tabs: Tabs,
    private readonly toasts: Toasts,
    private readonly storage: Pick<Storage, "getItem" | "setItem">,
    private readonly makeId: () => string,
  ) {
    this.revisions = parseRevisions(storage.getItem(REVISIONS));
    tabs.store.subscribe((now, before) => {
      if (!this.isOn) return;
      now.tabs.forEach((tab, place) => {
        if (contentOf(tab, place).key !== this.saved.get(draftOf(tab))) this.saveSoon(draftOf(tab));
      });
      for (const tab of before.tabs) if (!now.tabs.some(({ id }) => id === tab.id)) void this.forget(draftOf(tab));
    });
  }

  /** Opens what Core keeps when no page of this browser tab was here before, and from now on saves what is typed. */
  async start(): Promise<void> {
    try {
      const { drafts, keeping } = await this.core.drafts.listDrafts({});
      this.keeping.setState({ value: KEEPING[keeping] });
      const heads = drafts.filter(({ kind }) => kind === DraftKind.EDITOR);
      // A Core that began anew in memory alone knows nothing: then all is saved again.
      for (const id of this.revisions.keys()) if (!heads.some(({ draftId }) => draftId === id)) this.revisions.delete(id);
      if (!this.tabs.wereKept && !this.isOn) await this.restore(heads.map(({ draftId }) => draftId));
      this.isOn = true;
      for (const id of this.tabs.store.getState().tabs.map(draftOf)) if (!this.saved.has(id) || !this.revisions.has(id)) this.saveSoon(id);
    } catch (error) {
      // Tabs live on in the page itself.
      this.link.hear(error);
    }
  }

  private async restore(ids: readonly string[]): Promise<void> {
    const found: { readonly tab: Tab; readonly place: number }[] = [];
    for (let from = 0; from < ids.length; from += READS_MAX) {
      const reads = ids.slice(from, from + READS_MAX).map((draftId) => this.core.drafts.getDraft({ draftId }));
      for (const answer of await Promise.allSettled(reads)) {
        // One that another window deleted just now, or that does not open, keeps nobody from the others.
        const draft = answer.status === "fulfilled" ? answer.value.draft : undefined;
        const read = draft === undefined ? undefined : tabOf(draft);
        if (draft === undefined || read === undefined) continue;
        this.revisions.set(draft.draftId, draft.revision);
        found.push(read);
      }
    }
    const tabs = found.toSorted((a, b) => a.place - b.place).map(({ tab }) => tab);
    tabs.forEach((tab, index) => this.saved.set(tab.id, contentOf(tab, index).key));
    this.remember();
    this.tabs.restore(tabs);
  }

  private saveSoon(id: string): void {
    clearTimeout(this.timers.get(id));
    this.timers.set(id, setTimeout(() => void this.save(id), PAUSE_MS));
  }

  private async save(id: string): Promise<void> {
    const { tabs } = this.tabs.store.getState();
    const tab = tabs.find((candidate) => draftOf(candidate) === id);
    if (tab === undefined) return;
    // What is typed while a text is on its way follows it.
    if (this.busy.has(id)) return this.saveSoon(id);
    const { key, content } = contentOf(tab, tabs.indexOf(tab));
    if (this.saved.get(id) === key && this.revisions.has(id)) return;
    this.busy.add(id);
    try {
      const { outcome } = await this.core.drafts.saveDraft({ draftId: id, revision: this.revisions.get(id) ?? 0n, content });
      if (outcome.case === "saved") {
        this.revisions.set(id, outcome.value.revision);
        this.saved.set(id, key);
        this.remember();
      } else if (outcome.case === "conflict") this.part(tab, outcome.value.present);
    } catch (error) {
      this.link.hear(error);
    } finally {
      this.busy.delete(id);
    }
  }

  /** Somebody else has changed the draft: his text stays there, and the one of this page goes on as another draft. */
  private part(tab: Tab, present: Draft | undefined): void {
    const id = draftOf(tab);
    this.saved.delete(id);
    if (present === undefined) this.revisions.delete(id);
    else if (present.content?.text === tab.text) this.revisions.set(id, present.revision);
    else {
      this.revisions.delete(id);
      this.toasts.fail(`${tab.title} was changed in another window too`, "Both texts are kept: this one goes on as a tab of its own.");
      // It is another draft from now on, and saved as such.
      return this.tabs.change(tab.id, { draftId: this.makeId() });
    }
    this.saveSoon(id);
  }

  private async forget(id: string): Promise<void> {
    const revision = this.revisions.get(id);
    clearTimeout(this.timers.get(id));
    this.saved.delete(id);
    if (revision === undefined) return;
    this.revisions.delete(id);
    this.remember();
    try {
      // A conflict means that it lives on elsewhere.
      await this.core.drafts.deleteDraft({ draftId: id, revision });
    } catch (error) {
      this.link.hear(error);
    }
  }

  private remember(): void {
    this.storage.setItem(REVISIONS, JSON.stringify([...this.revisions].map(([id, revision]) => [id, String(revision)])));
  }
}

/** What a tab is kept as. */
function draftOf({ id, draftId }: Tab): string {
  return draftId ?? id;
}

/** What is saved of a tab, and a text that is another one when that is. */
function contentOf(tab: Tab, place: number) {
  const { title, connectionId, text, resultId, sessionId, parameters, choices } = tab;
  const json = JSON.stringify({ resultId, sessionId, parameters, choices, place });
  const content = { kind: DraftKind.EDITOR, title: title.slice(0, 200), connectionId, text, state: new TextEncoder().encode(json) };
  return { key: `${title}\n${connectionId}\n${json}\n${text}`, content };
}

function tabOf({ draftId, content }: Draft): { readonly tab: Tab; readonly place: number } | undefined {
  if (content === undefined) return undefined;
  const { title, connectionId, text } = content;
  let state: Record<string, unknown> = {};
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(content.state));
    if (typeof read === "object" && read !== null) state = { ...read };
  } catch {
    // The text is what matters.
  }
  const { place, ...rest } = state;
  const good = (extra: object) => parseTabs(JSON.stringify({ tabs: [{ ...extra, id: draftId, title, connectionId, text }] })).tabs[0];
  const tab = good(rest) ?? good({});
  return tab === undefined ? undefined : { tab, place: typeof place === "number" ? place : 0 };
}

function parseRevisions(text: string | null): Map<string, bigint> {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    return new Map((Array.isArray(kept) ? kept : []).map(([id, revision]: [string, string]) => [String(id), BigInt(revision)]));
  } catch {
    return new Map();
  }
}
