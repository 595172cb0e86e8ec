import { printOf } from "./print.ts";
import { keeps } from "./storage.ts";

const KEY = "querybox.drafts";

/** What this window knows of a draft: its revision, and a print of the text that Core had with it. */
interface Seen {
  readonly revision: bigint;
  readonly print: string;
}

/** The drafts that this window saw last, remembered over reloads. */
export class SeenDrafts {
  private readonly seen: Map<string, Seen>;
  /** Whether a page of this browser tab has opened what Core keeps. */
  readonly wereOpened: boolean;

  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem">) {
    const kept = storage.getItem(KEY);
    this.wereOpened = kept !== null;
    this.seen = parse(kept);
  }

  revisionOf(id: string): bigint | undefined {
    return this.seen.get(id)?.revision;
  }

  /** Whether a text is the one that was seen last. */
  isText(id: string, text: string): boolean {
    return this.seen.get(id)?.print === printOf(text);
  }

  see(id: string, revision: bigint, text: string): void {
    this.seen.set(id, { revision, print: printOf(text) });
  }

  forget(id: string): void {
    this.seen.delete(id);
  }

  /** Forgets those that are not there. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.seen.keys()) if (!ids.has(id)) this.seen.delete(id);
  }

  remember(): void {
    // Without it a page that is loaded again parts with its own drafts: both are kept.
    keeps(this.storage, KEY, JSON.stringify([...this.seen].map(([id, { revision, print }]) => [id, String(revision), print])));
  }
}

function parse(text: string | null): Map<string, Seen> {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    const entries = (Array.isArray(kept) ? kept : []) as readonly (readonly unknown[])[];
    return new Map(entries.map(([id, revision, print]) => [String(id), { revision: BigInt(String(revision)), print: String(print) }]));
  } catch {
    return new Map();
  }
}
