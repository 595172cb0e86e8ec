import { useCallback, useEffect, useRef, useState } from "react";
import type { EditorNow } from "../../state/pressed.ts";
import { type NotWanted, type Outline, outlineOf, parametersOf, type StatementPlace, type Wanted, wantedOf } from "../../state/scripts.ts";
import { useApp } from "../AppContext.ts";

export interface OutlineOfEditor {
  /** The statement that Run would run. */
  readonly atCursor: StatementPlace | undefined;
  /** The values that it needs. */
  readonly parameters: readonly string[];
  readonly onCursor: (at: number) => void;
  /** What is to be run of what an editor had, asked for anew unless it is known. */
  readonly wanted: (of: EditorNow, isAll: boolean) => Promise<Wanted | NotWanted>;
}

/** Time without a key press before Core is asked. */
const PAUSE_MS = 120;
const NOTHING: readonly string[] = [];

/** Knows where the statements of an editor's text lie. */
export function useOutline(driverType: string, text: string, now: () => EditorNow | undefined): OutlineOfEditor {
  const app = useApp();
  const [cursor, setCursor] = useState<number>();
  const [outline, setOutline] = useState<Outline>();
  const latest = useRef(now);
  latest.current = now;
  const asked = useRef<{ readonly key: string; readonly answer: Promise<Outline | undefined>; readonly stop: AbortController; isNeeded: boolean }>(undefined);

  const ask = useCallback(
    (of: EditorNow, isNeeded: boolean) => {
      const key = `${driverType} ${of.cursor} ${of.text}`;
      if (asked.current?.key === key) asked.current.isNeeded ||= isNeeded;
      else {
        // Nobody waits for it any more but for the text of before; whoever runs something is answered.
        if (asked.current?.isNeeded === false) asked.current.stop.abort();
        const stop = new AbortController();
        const answer = outlineOf(app.core, driverType, of.text, of.cursor, stop.signal).catch(() => undefined);
        asked.current = { key, answer, stop, isNeeded };
        // A failure is no answer: whoever asks again asks Core again.
        void answer.then((found) => {
          if (found === undefined && asked.current?.answer === answer) asked.current = undefined;
        });
      }
      return asked.current.answer;
    },
    [app, driverType],
  );
  useEffect(() => {
    if (driverType === "") return;
    let isOver = false;
    const timer = setTimeout(async () => {
      const of = latest.current();
      const found = of === undefined ? undefined : await ask(of, false);
      if (!isOver) setOutline(found);
    }, PAUSE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [ask, driverType, text, cursor]);

  const atCursor = outline?.text === text ? outline.atCursor : undefined;
  return {
    atCursor,
    parameters: atCursor === undefined ? NOTHING : parametersOf({ statements: [atCursor] }),
    onCursor: setCursor,
    wanted: async (of, isAll) => {
      const found = await ask(of, true);
      setOutline(found);
      return wantedOf(found, of.text, of, isAll);
    },
  };
}
