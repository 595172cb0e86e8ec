import { DraftKind } from "../gen/core/v1/draft_pb.ts";
import type { Core } from "../transport/core.ts";
import { DRAWER_BELOW, LAYOUT_KEY, type Layout, type LayoutStore, parseLayout } from "./layout.ts";
import type { LinkKeeper } from "./link.ts";
import { keeps } from "./storage.ts";
import type { Tab, Tabs } from "./tabs.ts";

/** Time without a change before it is saved. */
const PAUSE_MS = 400;
/** What Core had when this browser looked last: what differs from it was changed here and is not there yet. */
const SEEN = "querybox.layout.seen";
const TITLE = "Page";

/** How panels and tabs stand, by the names of drafts. */
interface Arrangement {
  readonly active: string | undefined;
  readonly other: string | undefined;
  readonly second: readonly string[];
}

/**
 * Keeps the layout in Core as well, with the user's settings: another browser begins as this one ends.
 *
 * It is one draft for all windows, and the last change holds: nothing that was typed is in it.
 */
export class KeptLayout {
  private draftId: string | undefined;
  private revision = 0n;
  private saved: string | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isBusy = false;
  private isOn = false;
  /** What a narrow page closes for itself says nothing of a wide one. */
  private wide: Pick<Layout, "sidebarOpen" | "inspectorOpen">;

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly layout: LayoutStore,
    private readonly tabs: Tabs,
    private readonly storage: Pick<Storage, "getItem" | "setItem">,
    private readonly pageWidth: () => number,
    private readonly makeId: () => string,
  ) {
    const { sidebarOpen, inspectorOpen } = parseLayout(storage.getItem(LAYOUT_KEY));
    this.wide = { sidebarOpen, inspectorOpen };
    layout.subscribe((now) => {
      if (!this.isNarrow) this.wide = { sidebarOpen: now.sidebarOpen, inspectorOpen: now.inspectorOpen };
      this.saveSoon();
    });
    tabs.store.subscribe(() => this.saveSoon());
  }

  /** Takes what Core keeps, unless something was changed here that it has not heard of; and from now on tells it of changes. */
  async start(): Promise<void> {
    try {
      const { drafts } = await this.core.drafts.listDrafts({});
      const head = drafts.findLast(({ kind }) => kind === DraftKind.LAYOUT);
      if (head === undefined) {
        this.draftId = undefined;
        this.revision = 0n;
        this.saved = undefined;
      } else if (head.draftId !== this.draftId || head.revision !== this.revision) {
        const { draft } = await this.core.drafts.getDraft({ draftId: head.draftId });
        this.draftId = head.draftId;
        this.revision = draft?.revision ?? 0n;
        this.take(new TextDecoder().decode(draft?.content?.state));
      }
      this.isOn = true;
      this.saveSoon();
    } catch (error) {
      // The layout lives on in the browser.
      this.link.hear(error);
    }
  }

  private take(text: string): void {
    const kept = read(text);
    if (kept === undefined) return;
    this.saved = text;
    const isNewBrowser = this.storage.getItem(LAYOUT_KEY) === null;
    if (!this.isOn && (isNewBrowser || this.settings() === this.storage.getItem(SEEN))) {
      const layout = parseLayout(JSON.stringify(kept.layout));
      this.wide = { sidebarOpen: layout.sidebarOpen, inspectorOpen: layout.inspectorOpen };
      const { sidebarOpen, inspectorOpen } = this.isNarrow ? this.layout.getState() : this.wide;
      this.layout.setState({ ...layout, sidebarOpen, inspectorOpen });
      keeps(this.storage, SEEN, this.settings());
    }
    if (this.isOn || this.tabs.wereKept) return;
    const idOf = (draft: string | undefined) => this.tabs.store.getState().tabs.find((tab) => draftOf(tab) === draft)?.id;
    const second = kept.arrangement.second.flatMap((draft) => idOf(draft) ?? []);
    this.tabs.arrange(new Set(second), idOf(kept.arrangement.active), idOf(kept.arrangement.other));
  }

  private get isNarrow(): boolean {
    return this.pageWidth() <= DRAWER_BELOW;
  }

  private settings(): string {
    return JSON.stringify({ ...this.layout.getState(), ...this.wide });
  }

  private content(): string {
    const { tabs, activeId, otherId } = this.tabs.store.getState();
    const draft = (id: string | undefined) => {
      const tab = tabs.find((other) => other.id === id);
      return tab === undefined ? undefined : draftOf(tab);
    };
    const second = tabs.filter((tab) => tab.second === true).map(draftOf);
    const arrangement: Arrangement = { active: draft(activeId), other: draft(otherId), second };
    return JSON.stringify({ layout: JSON.parse(this.settings()), arrangement });
  }

  private saveSoon(): void {
    if (!this.isOn || this.content() === this.saved) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), PAUSE_MS);
  }

  private async save(): Promise<void> {
    const text = this.content();
    if (text === this.saved) return;
    // What is changed while it is on its way follows it.
    if (this.isBusy) return this.saveSoon();
    this.isBusy = true;
    const settings = this.settings();
    this.draftId ??= this.makeId();
    const content = { kind: DraftKind.LAYOUT, title: TITLE, connectionId: "", text: "", state: new TextEncoder().encode(text) };
    try {
      const { outcome } = await this.core.drafts.saveDraft({ draftId: this.draftId, revision: this.revision, content });
      if (outcome.case === "saved") {
        this.revision = outcome.value.revision;
        this.saved = text;
        keeps(this.storage, SEEN, settings);
      } else if (outcome.case === "conflict") {
        // Another window was here: it is the last change that holds.
        this.revision = outcome.value.present?.revision ?? 0n;
        this.timer = setTimeout(() => void this.save(), PAUSE_MS);
      }
    } catch (error) {
      this.link.hear(error);
    } finally {
      this.isBusy = false;
    }
  }
}

/** What a tab is kept as. */
function draftOf({ id, draftId }: Tab): string {
  return draftId ?? id;
}

function read(text: string): { readonly layout: unknown; readonly arrangement: Arrangement } | undefined {
  try {
    const kept: unknown = JSON.parse(text);
    if (typeof kept !== "object" || kept === null) return undefined;
    const { layout, arrangement } = kept as Record<string, unknown>;
    const { active, other, second } = (typeof arrangement === "object" && arrangement !== null ? arrangement : {}) as Record<string, unknown>;
    const name = (value: unknown) => (typeof value === "string" ? value : undefined);
    const names = Array.isArray(second) ? second.filter((value): value is string => typeof value === "string") : [];
    return { layout, arrangement: { active: name(active), other: name(other), second: names } };
  } catch {
    // It is only a layout.
    return undefined;
  }
}
