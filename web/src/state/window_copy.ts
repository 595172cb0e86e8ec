import { keeps } from "./storage.ts";
import { HELD_KEY, parseTabs, type Tab, TABS_KEY } from "./tabs.ts";

/** Who the page is to Core, also after a reload: sessions and results are told to it. */
export const FRONT_END_KEY = "querybox.front-end";

/**
 * Makes a window of its own of a page that was copied with all that its browser tab had stored. It keeps the texts, as any
 * other window has them; the session, what runs and the results stay the first one's, so that nothing here can end them.
 */
export function partFromOriginal(storage: Pick<Storage, "getItem" | "setItem" | "removeItem">): void {
  storage.removeItem(FRONT_END_KEY);
  storage.removeItem(HELD_KEY);
  const kept = storage.getItem(TABS_KEY) ?? "";
  if (kept === "") return;
  const state = parseTabs(kept);
  const text = JSON.stringify({ ...state, tabs: state.tabs.map(asGuest), closed: state.closed.map(asGuest) });
  // Where there is no room for it, what Core has is opened.
  if (!keeps(storage, TABS_KEY, text)) storage.removeItem(TABS_KEY);
}

/** A tab as a window has it that neither began its run nor leased its session. */
function asGuest({ sessionId: _sessionId, holds: _holds, isOld: _isOld, lost: _lost, runs: _runs, ...tab }: Tab): Tab {
  return tab.resultId === undefined ? tab : { ...tab, isGuest: true };
}
