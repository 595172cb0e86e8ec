import type { App } from "./app.ts";
import { holdsTransaction } from "./close_tabs.ts";

/** Gives up the session that is a tab's own, and asks first when a transaction goes, or may go, with it. */
export async function giveUpSession(app: Pick<App, "sessions" | "runs" | "overlay" | "toasts">, tabId: string): Promise<void> {
  const session = app.sessions.of(tabId);
  if (session.kind === "open" && session.isShared) return;
  if (holdsTransaction(app, tabId)) app.overlay.setState({ kind: "give-up-session", tabId }, true);
  else await endSession(app, tabId);
}

/** Ends the session of a tab. */
export async function endSession({ sessions, toasts }: Pick<App, "sessions" | "toasts">, tabId: string): Promise<void> {
  if (await sessions.close(tabId)) toasts.say("The session is closed, and its transaction was rolled back");
}
