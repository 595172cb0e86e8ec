import { useEffect, useMemo, useRef } from "react";
import type { StatementResult } from "../../gen/core/v1/result_pb.ts";
import { type Arrangement, AS_THEY_CAME } from "../../results/arrangement.ts";
import type { ColumnLayout } from "../../results/column_layout.ts";
import { columnsOf } from "../../results/columns.ts";
import { printOf } from "../../state/print.ts";
import { useApp } from "../AppContext.ts";

interface Kept {
  readonly resultId: string;
  readonly arrangement: Arrangement;
  readonly layout: ColumnLayout | undefined;
}

/** Statements whose arrangement a tab remembers at most. */
const KEPT_MAX = 64;

/** Arranges the rows of a statement that is run again as those of the run before were, as long as its columns are the same. */
export function useKeptArrangement(
  resultId: string | undefined,
  rows: StatementResult | undefined,
  script: string,
  arrangement: Arrangement,
  layout: ColumnLayout | undefined,
  onLayout: (layout: ColumnLayout) => void,
): void {
  const app = useApp();
  const kept = useRef(new Map<string, Kept>());
  const latest = useRef(onLayout);
  latest.current = onLayout;
  const isOver = rows?.end.case !== undefined;
  const statement = useRef(rows);
  statement.current = rows;
  const print = useMemo(() => printOf(script), [script]);
  // Of a result neither its statements nor their columns become others: rows that come are no reason to name it anew.
  const name = useMemo(() => {
    const { current } = statement;
    return current === undefined ? "" : JSON.stringify([current.statement, print, current.columns.map((column) => [column.name, column.databaseType])]);
  }, [resultId, rows?.statement, rows?.columns.length, print]);
  useEffect(() => {
    const { current } = statement;
    if (resultId === undefined || current === undefined) return;
    const before = kept.current.get(name);
    const isOther = before !== undefined && before.resultId !== resultId;
    if (isOther && layout === undefined && before.layout !== undefined) latest.current(before.layout);
    // What was arranged here meanwhile holds; and what is made while rows come would be made again.
    if (isOther && arrangement === AS_THEY_CAME && before.arrangement !== AS_THEY_CAME) {
      if (!isOver) return;
      void app.views.arrange({ resultId, statement: current.statement }, columnsOf(current), before.arrangement);
      kept.current.set(name, { ...before, resultId });
      return;
    }
    kept.current.delete(name);
    kept.current.set(name, { resultId, arrangement, layout: layout ?? (isOther ? before.layout : undefined) });
    for (const old of kept.current.keys()) if (kept.current.size > KEPT_MAX) kept.current.delete(old);
  }, [app, resultId, name, isOver, arrangement, layout]);
}
