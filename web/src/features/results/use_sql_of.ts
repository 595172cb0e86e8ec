import { useMemo } from "react";
import { placesOfBytes } from "../../state/offsets.ts";
import type { ResultTab } from "../../state/run_view.ts";

/** Characters of a statement that a tab tells it by at most. */
const SHOWN_MAX = 200;

/** Tells the statements that tabs are of, where there are several to be told apart. */
export function useSqlOf(tabs: readonly ResultTab[], script: string): (tab: ResultTab) => string {
  const key = tabs.map((tab) => tab.key).join();
  const sqls = useMemo(() => {
    const spans = tabs.flatMap((tab) => {
      const span = tab.kind === "rows" ? tab.statement.span : tab.rejection.span;
      return span === undefined ? [] : [[tab.key, span] as const];
    });
    const places = placesOfBytes(script, spans.flatMap(([, span]) => [span.startByte, span.endByte]));
    const textOf = (from: number | undefined, to: number | undefined) => script.slice(from, Math.min(to ?? 0, (from ?? 0) + SHOWN_MAX));
    return new Map(spans.map(([name, span]) => [name, textOf(places.get(span.startByte), places.get(span.endByte)).replaceAll(/\s+/g, " ")]));
  }, [key, script]);
  return (tab) => (tabs.length > 1 ? (sqls.get(tab.key) ?? "") : "");
}
