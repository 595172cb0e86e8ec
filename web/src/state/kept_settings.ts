import type { Core } from "../transport/core.ts";
import { oneByOne } from "./in_turn.ts";
import { KeptDocument, SETTINGS_ID } from "./kept_document.ts";
import { DRAWER_BELOW, LAYOUT_KEY, type Layout, type LayoutStore, OWN, parseLayout, SHARED } from "./layout.ts";
import type { LinkKeeper } from "./link.ts";
import { areSame, merge, parseValues, type Values } from "./merge.ts";
import type { News } from "./news.ts";
import { keeps } from "./storage.ts";

/** Time without a change before it is saved. */
const PAUSE_MS = 400;
/** What Core had when this browser looked last: what differs from it was changed here and is not there yet. */
const SEEN = "querybox.layout.seen";
const SHORTCUT = "keys.";

/**
 * Keeps the user's settings in Core as well, for all browsers: only what was changed here is written, onto what others have
 * changed meanwhile. How the parts of a window stand is told as well, and taken by a page that begins alone.
 */
export class KeptSettings {
  private readonly document: KeptDocument;
  /** What Core had when this page looked last. */
  private seen: Values;
  /** How the parts of this window stood when Core was last at one with it: until they are changed here, nothing of them is told. */
  private told: Partial<Layout> = {};
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** A read that is answered behind a write that began later would put old values back: each is done alone. */
  private readonly alone = oneByOne();
  private isOn = false;
  /** What a narrow page closes for itself says nothing of a wide one. */
  private wide: Pick<Layout, "sidebarOpen" | "inspectorOpen">;

  constructor(
    core: Core,
    private readonly link: LinkKeeper,
    private readonly layout: LayoutStore,
    private readonly storage: Pick<Storage, "getItem" | "setItem">,
    private readonly pageWidth: () => number,
    news?: News,
  ) {
    this.document = new KeptDocument(core, SETTINGS_ID, "Settings");
    this.seen = parseValues(storage.getItem(SEEN));
    const { sidebarOpen, inspectorOpen } = parseLayout(storage.getItem(LAYOUT_KEY));
    this.wide = { sidebarOpen, inspectorOpen };
    news?.on("settings", () => {
      if (this.isOn) void this.start();
    });
    layout.subscribe((now, before) => {
      if (!this.isNarrow) {
        if (now.sidebarOpen !== before.sidebarOpen) this.wide = { ...this.wide, sidebarOpen: now.sidebarOpen };
        if (now.inspectorOpen !== before.inspectorOpen) this.wide = { ...this.wide, inspectorOpen: now.inspectorOpen };
      }
      this.saveSoon();
    });
  }

  /** Takes what was changed elsewhere; and from now on tells Core of what is changed here. */
  start(): Promise<void> {
    return this.alone(() => this.read());
  }

  private async read(): Promise<void> {
    try {
      this.meet(await this.document.read());
      this.isOn = true;
      this.saveSoon();
    } catch (error) {
      // They live on in the browser.
      this.link.hear(error);
    }
  }

  /** Closes what would cover a page that has become narrow, and opens it again on one that has become wide. */
  fit(): void {
    const { sidebarOpen } = this.layout.getState();
    const isOpen = !this.isNarrow && (this.wide.sidebarOpen || sidebarOpen);
    if (isOpen !== sidebarOpen) this.layout.setState({ sidebarOpen: isOpen });
  }

  /** Puts together what Core has and what was changed here. */
  private meet(text: string | undefined): void {
    const theirs = parseValues(text);
    const mine = this.mine();
    // A Core that has nothing has forgotten all, and changed none of it.
    const merged = merge(text === undefined ? {} : this.seen, mine, theirs);
    this.see(theirs);
    if (!this.isOn || text === undefined) this.told = pick(layoutOf(theirs), OWN);
    if (areSame(merged, mine)) return;
    const layout = layoutOf(merged);
    if (this.isOn) return this.layout.setState(pick(layout, SHARED));
    this.wide = { sidebarOpen: layout.sidebarOpen, inspectorOpen: layout.inspectorOpen };
    const { sidebarOpen, inspectorOpen } = this.isNarrow ? this.layout.getState() : this.wide;
    this.layout.setState({ ...layout, sidebarOpen, inspectorOpen });
  }

  private see(values: Values): void {
    this.seen = values;
    keeps(this.storage, SEEN, JSON.stringify(values));
  }

  private get isNarrow(): boolean {
    return this.pageWidth() <= DRAWER_BELOW;
  }

  private get now(): Layout {
    return { ...this.layout.getState(), ...this.wide };
  }

  private mine(): Values {
    const { now } = this;
    const unchanged = OWN.filter((name) => now[name] === this.told[name]);
    return valuesOf({ ...now, ...pick(layoutOf(this.seen), unchanged) });
  }

  private saveSoon(): void {
    if (!this.isOn || areSame(this.mine(), this.seen)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.alone(() => this.save()), PAUSE_MS);
  }

  private async save(): Promise<void> {
    const mine = this.mine();
    if (areSame(mine, this.seen)) return;
    const told = pick(this.now, OWN);
    try {
      const written = await this.document.write(JSON.stringify(mine));
      if (written.kind === "saved") {
        this.see(mine);
        this.told = told;
      } else this.meet(written.present);
      this.saveSoon();
    } catch (error) {
      this.link.hear(error);
    }
  }
}

function pick<T extends keyof Layout>(layout: Layout, names: readonly T[]): Pick<Layout, T> {
  return Object.fromEntries(names.map((name) => [name, layout[name]])) as unknown as Pick<Layout, T>;
}

/** What is otherwise than by itself. */
function valuesOf({ keys, ...layout }: Layout): Values {
  const plain: Readonly<Record<string, unknown>> = { ...parseLayout(null) };
  const shortcuts = Object.entries(keys).map(([action, shortcut]) => [`${SHORTCUT}${action}`, shortcut] as const);
  return Object.fromEntries([...Object.entries(layout).filter(([name, value]) => plain[name] !== value), ...shortcuts]);
}

function layoutOf(values: Values): Layout {
  const isShortcut = ([name]: readonly [string, unknown]) => name.startsWith(SHORTCUT);
  const entries = Object.entries(values);
  const keys = Object.fromEntries(entries.filter(isShortcut).map(([name, shortcut]) => [name.slice(SHORTCUT.length), shortcut]));
  return parseLayout(JSON.stringify({ ...Object.fromEntries(entries.filter((entry) => !isShortcut(entry))), keys }));
}
