import { createStore, type StoreApi } from "zustand/vanilla";
import { type Draft, type DraftHead, DraftKind, type GetDraftResponse, TextKeeping } from "../gen/core/v1/draft_pb.ts";
import { type Core, patienceFor } from "../transport/core.ts";
import { OUTLIVES_MAX } from "../transport/host.ts";
import { problemOf, reasonOf } from "../transport/problem.ts";
import { inTurn } from "./in_turn.ts";
import type { LinkKeeper } from "./link.ts";
import type { News } from "./news.ts";
import { SeenDrafts } from "./seen_drafts.ts";
import { draftOf, parseTabs, type Tab, type Tabs } from "./tabs.ts";
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
/** A call that failed is made again after this, then after twice as long, and so on. */
const AGAIN_MS = 1_000;
const AGAIN_MAX_MS = 30_000;
/** What goes with a text at most, in bytes: ids, and a title. */
const BESIDE = 1_500;
/** Texts of a draft that are remembered when no answer comes. */
const SENT_MAX = 8;
/** A browser has few connections. */
const READS_MAX = 4;
/** In place of a draft's id: what Core keeps at all. */
const LIST = "";

/**
 * Keeps what is typed in Core as well: a page that is closed, a browser that dies, and another machine find it again.
 *
 * A tab is a draft. It is forgotten when its tab is closed; a window that still shows its text then saves it again. Who changes
 * a draft that somebody else changed meanwhile keeps his own text as another one: nothing that was typed is overwritten. A window
 * in which nothing was typed makes no copy: it leaves the other one's text as it is, and shows it when its page is loaded again.
 */
export class Drafts {
  readonly keeping: StoreApi<{ readonly value: Keeping }> = createStore<{ readonly value: Keeping }>(() => ({ value: "unknown" }));
  /** Why what was typed is not in Core yet, while that is so: the page has it, and tries again. */
  readonly trouble: StoreApi<{ readonly why: string | undefined }> = createStore<{ readonly why: string | undefined }>(() => ({ why: undefined }));
  private readonly seen: SeenDrafts;
  /** What was saved last. */
  private readonly saved = new Map<string, string>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly busy = new Set<string>();
  /** What Core may have of this page: the text that it answered to last, and those sent since without an answer. */
  private readonly sent = new Map<string, readonly string[]>();
  /** Drafts of tabs that were closed, until Core has forgotten them. */
  private readonly closed = new Set<string>();
  /** How often a call failed since the last one that did not. */
  private readonly failures = new Map<string, number>();
  private readonly begun = new Set<() => Promise<unknown>>();
  private isOn = false;
  /** Drafts that are still to be opened here. Absent: it is not known yet which. */
  private unread: ReadonlySet<string> | undefined;
  private readonly noteSeen = () => this.seen.remember();

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly tabs: Tabs,
    private readonly toasts: Toasts,
    storage: Pick<Storage, "getItem" | "setItem">,
    private readonly makeId: () => string,
    news?: News,
  ) {
    this.seen = new SeenDrafts(storage);
    if (tabs.wereKept && this.seen.wereOpened) this.unread = tabs.lacking;
    // What another window closes lives on in this one.
    news?.on("drafts", () => {
      if (this.isOn) void this.start();
    });
    tabs.store.subscribe((now, before) => {
      if (!this.isOn) return;
      now.tabs.forEach((tab, place) => {
        // It was opened again before Core had forgotten it.
        this.closed.delete(draftOf(tab));
        if (contentOf(tab, place).key !== this.saved.get(draftOf(tab))) this.saveSoon(draftOf(tab));
      });
      for (const tab of before.tabs) if (!now.tabs.some(({ id }) => id === tab.id)) this.close(draftOf(tab));
    });
  }

  /** Opens what Core keeps when no page of this browser tab has done so, and from now on saves what is typed. */
  readonly start: () => Promise<void> = inTurn(async () => {
    const [{ isOn }, toCome] = [this, this.unread?.size ?? 0];
    await this.begin();
    if (this.isOn && (!isOn || (this.unread?.size ?? 0) < toCome)) await Promise.all([...this.begun].map((listener) => listener()));
  });

  private async begin(): Promise<void> {
    try {
      const { drafts, keeping, unreadableCount } = await this.core.drafts.listDrafts({});
      this.keeping.setState({ value: KEEPING[keeping] });
      const heads = drafts.filter(({ kind }) => kind === DraftKind.EDITOR);
      const ids = new Set(heads.map(({ draftId }) => draftId));
      // A Core that began anew in memory alone knows nothing: then all is saved again.
      this.seen.keepOnly(ids);
      const wanted = heads.filter(({ draftId }) => this.unread?.has(draftId) ?? true);
      this.unread = this.unread !== undefined && wanted.length === 0 ? new Set() : await this.restore(wanted);
      // What Core cannot open now, it may have all the same.
      this.tabs.expect(this.unread, (id) => unreadableCount > 0 && !ids.has(id));
      this.isOn = true;
      this.goesWell(LIST);
      if (this.unread.size > 0) this.later(LIST, () => void this.start(), AGAIN_MAX_MS);
      for (const id of this.tabs.store.getState().tabs.map(draftOf)) if (!this.saved.has(id) || this.seen.revisionOf(id) === undefined) this.saveSoon(id);
    } catch (error) {
      // Tabs live on in the page itself.
      this.fails(LIST, error);
      this.later(LIST, () => void this.start(), 0);
    }
  }

  /** Opens drafts. Answers those that could not be read. */
  private async restore(heads: readonly DraftHead[]): Promise<ReadonlySet<string>> {
    const failed = new Set<string>();
    const isOpen = (id: string) => this.tabs.store.getState().tabs.some((tab) => tab.id === id || draftOf(tab) === id);
    const wanted = heads.filter(({ draftId }) => !isOpen(draftId));
    const found: { readonly tab: Tab; readonly place: number; readonly revision: bigint }[] = [];
    for (let from = 0; from < wanted.length; from += READS_MAX) {
      const part = wanted.slice(from, from + READS_MAX);
      const answers = await Promise.allSettled(part.map((head) => this.read(head)));
      for (const [at, answer] of answers.entries()) {
        if (answer.status === "rejected") this.link.hear(answer.reason);
        // Nobody answers any of them: all are read again when Core is back.
        if (answer.status === "rejected" && this.link.store.getState().kind !== "in") throw answer.reason;
        // One that does not open now keeps nobody from the others, and one that another window deleted just now does not come any more.
        if (answer.status === "rejected" && reasonOf(answer.reason) !== "DRAFT_NOT_FOUND") failed.add(part[at]?.draftId ?? "");
        const draft = answer.status === "fulfilled" ? answer.value.draft : undefined;
        const read = draft === undefined ? undefined : tabOf(draft);
        if (draft !== undefined && read !== undefined) found.push({ ...read, revision: draft.revision });
      }
    }
    const all = found.filter(({ tab }) => !isOpen(tab.id)).toSorted((a, b) => a.place - b.place);
    all.forEach(({ tab, revision }, index) => {
      this.seen.see(tab.id, revision, tab.text);
      this.saved.set(tab.id, contentOf(tab, index).key);
    });
    this.seen.remember();
    this.tabs.restore(all.map(({ tab }) => tab));
    return failed;
  }

  private read({ draftId, textBytes }: DraftHead): Promise<GetDraftResponse> {
    return this.core.drafts.getDraft({ draftId }, { timeoutMs: patienceFor(Number(textBytes)) });
  }

  /** Calls once it is known what Core keeps, and its tabs are open; and again when more of them have come. */
  onBegin(listener: () => Promise<unknown>): void {
    this.begun.add(listener);
  }

  /** Whether Core lacks something of what is typed. */
  get lacksSome(): boolean {
    return this.tabs.store.getState().tabs.some((tab, place) => contentOf(tab, place).key !== this.saved.get(draftOf(tab)));
  }

  /** Whether what was typed last is lost with the page: it is on its way, or too long to be sent as the page goes. */
  holdsPage(): boolean {
    const isTroubled = this.trouble.getState().why !== undefined;
    if (isTroubled && this.isOn) return true;
    const { tabs } = this.tabs.store.getState();
    const unsaved = this.isOn || isTroubled ? tabs.filter((tab) => tab.text !== "" && !this.seen.isText(draftOf(tab), tab.text)) : [];
    if (isTroubled) return unsaved.length > 0;
    const size = unsaved.reduce((sum, tab) => sum + sizeOf(tab), 0);
    return size > OUTLIVES_MAX || unsaved.some((tab) => this.busy.has(draftOf(tab)));
  }

  /** Sends at once what waits for a pause: the page may go. */
  flush(): void {
    for (const [id, timer] of this.timers) {
      if (id === LIST || this.closed.has(id)) continue;
      clearTimeout(timer);
      void this.save(id);
    }
  }

  private saveSoon(id: string): void {
    // A Core that does not answer is not asked at each key press.
    this.later(id, () => void this.save(id), PAUSE_MS);
  }

  /** Does something after a while, in place of what was to be done with the same draft. */
  private later(id: string, act: () => void, pause: number): void {
    const failures = this.failures.get(id) ?? 0;
    const again = failures === 0 ? 0 : Math.min(AGAIN_MS * 2 ** (failures - 1), AGAIN_MAX_MS);
    clearTimeout(this.timers.get(id));
    this.timers.set(id, setTimeout(act, Math.max(pause, again)));
  }

  private async save(id: string): Promise<void> {
    const { tabs } = this.tabs.store.getState();
    const tab = tabs.find((candidate) => draftOf(candidate) === id);
    if (tab === undefined) return;
    // What is typed while a text is on its way follows it.
    if (this.busy.has(id)) return this.saveSoon(id);
    const { key, content } = contentOf(tab, tabs.indexOf(tab));
    // What was sent without an answer may have arrived: what was there before is then sent again.
    if (this.saved.get(id) === key && this.seen.revisionOf(id) !== undefined && !this.failures.has(id)) return;
    this.busy.add(id);
    try {
      this.sent.set(id, [...(this.sent.get(id) ?? []), content.text].slice(-SENT_MAX));
      const revision = this.seen.revisionOf(id) ?? 0n;
      const { outcome, keeping } = await this.core.drafts.saveDraft({ draftId: id, revision, content }, { timeoutMs: patienceFor(sizeOf(tab)) });
      this.goesWell(id);
      if (keeping !== TextKeeping.UNSPECIFIED) this.keeping.setState({ value: KEEPING[keeping] });
      if (outcome.case === "saved") {
        this.seen.see(id, outcome.value.revision, content.text);
        this.saved.set(id, key);
        this.sent.set(id, [content.text]);
        this.remember();
      } else if (outcome.case === "conflict" && !this.closed.has(id)) this.meet(id, key, outcome.value.present);
    } catch (error) {
      this.fails(id, error);
      if (!this.closed.has(id)) this.saveSoon(id);
    } finally {
      this.busy.delete(id);
      // It was closed while its text was on its way.
      if (this.closed.has(id)) void this.forget(id);
    }
  }

  /** A revision is never written down before its text. */
  private remember(): void {
    this.tabs.whenWritten(this.noteSeen);
  }

  private goesWell(id: string): void {
    this.failures.delete(id);
    if (this.failures.size === 0) this.trouble.setState({ why: undefined });
  }

  private fails(id: string, error: unknown): void {
    this.link.hear(error);
    this.failures.set(id, (this.failures.get(id) ?? 0) + 1);
    this.trouble.setState({ why: problemOf(error).message });
  }

  /** Somebody else has changed the draft: where both have typed, his text stays there, and the one of this page goes on as another draft. */
  private meet(id: string, key: string, present: Draft | undefined): void {
    const tab = this.tabs.store.getState().tabs.find((candidate) => draftOf(candidate) === id);
    if (tab === undefined) return;
    const theirs = present?.content?.text;
    if (present === undefined || theirs === undefined) this.seen.forget(id);
    // Nobody else has typed: what this page sent itself, and had no answer to, is no other text.
    else if (theirs === tab.text || this.isOwn(present)) this.seen.see(id, present.revision, theirs);
    else if (!this.seen.isText(id, tab.text)) return this.part(tab, "was changed in another window too");
    // No text changes under the eyes of who reads it: an open page shows it when it is loaded again.
    else if (this.saved.has(id)) return void this.saved.set(id, key);
    else {
      const { title = tab.title, connectionId = tab.connectionId } = present.content ?? {};
      // A text belongs to its connection, and a session stays on its own.
      const isHeld = tab.sessionId !== undefined || tab.holds !== undefined;
      if (isHeld && connectionId !== tab.connectionId) return this.part(tab, "holds a session, and was put on another connection in another window");
      this.seen.see(id, present.revision, theirs);
      this.tabs.change(tab.id, { title, connectionId, text: theirs, taken: (tab.taken ?? 0) + 1 });
    }
    this.remember();
    this.saved.delete(id);
    this.saveSoon(id);
  }

  private part(tab: Tab, why: string): void {
    this.saved.delete(draftOf(tab));
    this.seen.forget(draftOf(tab));
    this.toasts.fail(`${tab.title} ${why}`, "Both texts are kept: this one goes on as a tab of its own.");
    // It is another draft from now on, and saved as such.
    this.tabs.change(tab.id, { draftId: this.makeId() });
  }

  /** Forgets the draft of a tab that was closed: after what of it is on its way, which would bring it back. */
  private close(id: string): void {
    clearTimeout(this.timers.get(id));
    this.saved.delete(id);
    this.closed.add(id);
    if (!this.busy.has(id)) void this.forget(id);
  }

  private async forget(id: string): Promise<void> {
    if (!this.closed.has(id)) return;
    // Without an answer nobody knows whether a text that was sent has arrived.
    const revision = this.seen.revisionOf(id) ?? (this.sent.has(id) ? 0n : undefined);
    if (revision === undefined) return this.isForgotten(id);
    this.busy.add(id);
    try {
      const { outcome } = await this.core.drafts.deleteDraft({ draftId: id, revision });
      this.goesWell(id);
      const present = outcome.case === "conflict" ? outcome.value.present : undefined;
      // A text that this page knows goes with its tab; anything else lives on elsewhere.
      if (present === undefined || present.revision === revision || !this.isOwn(present)) return this.isForgotten(id);
      this.seen.see(id, present.revision, present.content?.text ?? "");
      this.forgetOrSave(id);
    } catch (error) {
      this.fails(id, error);
      this.forgetOrSave(id);
    } finally {
      this.busy.delete(id);
    }
  }

  /** Goes on after a call: a tab that was opened again meanwhile is not to be forgotten any more. */
  private forgetOrSave(id: string): void {
    if (this.closed.has(id)) this.later(id, () => void this.forget(id), 0);
    else this.saveSoon(id);
  }

  /** Whether nobody else has typed in a draft: its text is what this page sent, or saw last. */
  private isOwn({ draftId, content }: Draft): boolean {
    return content !== undefined && (this.sent.get(draftId)?.includes(content.text) === true || this.seen.isText(draftId, content.text));
  }

  private isForgotten(id: string): void {
    this.seen.forget(id);
    for (const known of [this.sent, this.timers]) known.delete(id);
    this.closed.delete(id);
    this.goesWell(id);
    this.seen.remember();
  }
}

/** What is saved of a tab, and a text that is another one when that is. */
function contentOf(tab: Tab, place: number) {
  // Its session is of this window alone: another one would end it.
  const { title, connectionId, text, resultId, parameters, choices } = tab;
  const json = JSON.stringify({ resultId, parameters, choices, place });
  const content = { kind: DraftKind.EDITOR, title: title.slice(0, 200), connectionId, text, state: new TextEncoder().encode(json) };
  return { key: `${title}\n${connectionId}\n${json}\n${text}`, content };
}

/** How many bytes a call with it has, and some more. */
function sizeOf(tab: Tab): number {
  const { text, state } = contentOf(tab, 0).content;
  return new TextEncoder().encode(text).byteLength + state.byteLength + BESIDE;
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
  const { place, sessionId: _sessionId, ...known } = state;
  const rest = known.resultId === undefined ? known : { ...known, isGuest: true };
  const good = (extra: object) => parseTabs(JSON.stringify({ tabs: [{ ...extra, id: draftId, title, connectionId, text }] })).tabs[0];
  const tab = good(rest) ?? good({});
  return tab === undefined ? undefined : { tab, place: typeof place === "number" ? place : 0 };
}
