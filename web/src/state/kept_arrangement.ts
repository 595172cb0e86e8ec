import type { Core } from "../transport/core.ts";
import { oneByOne } from "./in_turn.ts";
import { ARRANGEMENT_ID, KeptDocument } from "./kept_document.ts";
import type { LinkKeeper } from "./link.ts";
import { draftOf, type Tabs } from "./tabs.ts";

/** Time without a change before it is saved. */
const PAUSE_MS = 400;

/** How panels and tabs stand, by the names of drafts. */
interface Arrangement {
  readonly active?: string | undefined;
  readonly other?: string | undefined;
  readonly second: readonly string[];
}

/**
 * Keeps in Core how panels and tabs stand: another browser begins as the last window that was arranged. Each window has its
 * own; nothing that was typed is in it.
 */
export class KeptArrangement {
  private readonly document: KeptDocument;
  /** How it was when it was kept last, or found here. */
  private kept = textOf({ second: [] });
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** A read that is answered behind a write that began later would bring an old revision back: each is done alone. */
  private readonly alone = oneByOne();
  private isOn = false;

  constructor(
    core: Core,
    private readonly link: LinkKeeper,
    private readonly tabs: Tabs,
  ) {
    this.document = new KeptDocument(core, ARRANGEMENT_ID, "Panels");
    tabs.store.subscribe(() => this.saveSoon());
  }

  /** Takes what Core keeps where no page of this browser tab was before; and from now on tells it of changes. */
  start(): Promise<void> {
    return this.alone(() => this.look());
  }

  private async look(): Promise<void> {
    try {
      const found = await this.document.read();
      if (found === undefined) this.kept = textOf({ second: [] });
      else if (!this.isOn) {
        if (!this.tabs.wereKept) this.take(found);
        this.kept = this.now();
      }
      this.isOn = true;
      this.saveSoon();
    } catch (error) {
      // It lives on in the browser.
      this.link.hear(error);
    }
  }

  private take(text: string): void {
    const { active, other, second } = read(text);
    const idOf = (draft: string | undefined) => this.tabs.store.getState().tabs.find((tab) => draftOf(tab) === draft)?.id;
    this.tabs.arrange(new Set(second.flatMap((draft) => idOf(draft) ?? [])), idOf(active), idOf(other));
  }

  private now(): string {
    const { tabs, activeId, otherId } = this.tabs.store.getState();
    const draft = (id: string | undefined) => {
      const tab = tabs.find((other) => other.id === id);
      return tab === undefined ? undefined : draftOf(tab);
    };
    return textOf({ active: draft(activeId), other: draft(otherId), second: tabs.filter((tab) => tab.second === true).map(draftOf) });
  }

  private saveSoon(): void {
    if (!this.isOn || this.now() === this.kept) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.alone(() => this.save()), PAUSE_MS);
  }

  private async save(): Promise<void> {
    const text = this.now();
    if (text === this.kept) return;
    try {
      // Where another window was: the last one holds.
      for (let tries = 0; tries < 2; tries++) {
        if ((await this.document.write(text)).kind === "conflict") continue;
        this.kept = text;
        break;
      }
      this.saveSoon();
    } catch (error) {
      this.link.hear(error);
    }
  }
}

function textOf(arrangement: Arrangement): string {
  return JSON.stringify(arrangement);
}

/** What was kept, as far as it makes sense. */
function read(text: string): Arrangement {
  try {
    const kept: unknown = JSON.parse(text);
    if (typeof kept !== "object" || kept === null) return { second: [] };
    const { active, other, second } = kept as Record<string, unknown>;
    const name = (value: unknown) => (typeof value === "string" ? value : undefined);
    const names = Array.isArray(second) ? second.filter((value): value is string => typeof value === "string") : [];
    return { active: name(active), other: name(other), second: names };
  } catch {
    return { second: [] };
  }
}
