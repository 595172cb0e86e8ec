import type { Script } from "./runs.ts";
import type { Tab, Tabs } from "./tabs.ts";

/** The scripts that were sent from tabs, by tab. Where each stands goes along with what is typed before it. */
export class SentScripts {
  private readonly scripts = new Map<string, Script>();

  constructor(tabs: Pick<Tabs, "store">) {
    tabs.store.subscribe((now, before) => {
      if (now.tabs === before.tabs) return;
      for (const tab of now.tabs) this.follow(tab, before.tabs);
    });
  }

  get(tabId: string): Script | undefined {
    return this.scripts.get(tabId);
  }

  set(tabId: string, script: Script): void {
    this.scripts.set(tabId, script);
  }

  delete(tabId: string): void {
    this.scripts.delete(tabId);
  }

  private follow({ id, text }: Tab, before: readonly Tab[]): void {
    const script = this.scripts.get(id);
    const old = script === undefined ? undefined : before.find((tab) => tab.id === id)?.text;
    if (script === undefined || old === undefined || old === text) return;
    const offset = placeIn(text, old, script);
    if (offset !== script.offset) this.scripts.set(id, { ...script, offset });
  }
}

/** Where a script stands in a text that was made of an old one by one edit. One within it leaves it where it was. */
export function placeIn(text: string, old: string, { sql, offset }: Pick<Script, "sql" | "offset">): number {
  if (text.startsWith(old.slice(0, offset + sql.length))) return offset;
  return text.endsWith(old.slice(offset)) ? offset + text.length - old.length : offset;
}
