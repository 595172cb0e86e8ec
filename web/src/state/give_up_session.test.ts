import { expect, test } from "vitest";
import { createStore } from "zustand/vanilla";
import { TransactionState } from "../gen/plugin/v1/plugin_pb.ts";
import type { Overlay } from "./app.ts";
import { giveUpSession } from "./give_up_session.ts";
import { type Run, Runs } from "./runs.ts";
import type { TabSession } from "./tab_session.ts";
import { TabSessions } from "./tab_sessions.ts";
import { Toasts } from "./toasts.ts";

const OPEN = { kind: "open", sessionId: "s", isBusy: false, endsSoon: false, isShared: false, transaction: TransactionState.IDLE } as const;

/** What a page does whose user gives up a session. */
async function given(session: TabSession, run: Run = { kind: "idle" }): Promise<readonly string[]> {
  const done: string[] = [];
  const sessions: TabSessions = Object.create(TabSessions.prototype);
  const runs: Runs = Object.create(Runs.prototype);
  sessions.of = () => session;
  sessions.close = async () => {
    done.push("ended");
    return false;
  };
  runs.of = () => run;
  const overlay = createStore<Overlay>(() => ({ kind: "none" }));
  await giveUpSession({ sessions, runs, overlay, toasts: new Toasts() }, "tab");
  if (overlay.getState().kind !== "none") done.push(overlay.getState().kind);
  return done;
}

test("who gives up a session with a transaction, or with something that may have begun one, is asked, and nothing ends before", async () => {
  for (const transaction of [TransactionState.OPEN, TransactionState.FAILED, TransactionState.UNSPECIFIED]) expect(await given({ ...OPEN, transaction })).toEqual(["give-up-session"]);
  expect(await given(OPEN, { kind: "starting", startedAt: 0 })).toEqual(["give-up-session"]);
});

test("a session with nothing in it, one that is being opened, and one that was lost are given up at once; one that others share is not a tab's to end", async () => {
  for (const session of [OPEN, { kind: "opening" }, { kind: "lost", why: "", sessionId: "s", isShared: false, isTold: false }] as const) expect(await given(session)).toEqual(["ended"]);
  expect(await given({ ...OPEN, isShared: true, transaction: TransactionState.OPEN })).toEqual([]);
});
