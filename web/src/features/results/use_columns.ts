import { useMemo, useRef } from "react";
import type { StatementResult } from "../../gen/core/v1/result_pb.ts";
import { columnsOf } from "../../results/columns.ts";
import type { ResultColumn } from "../../results/source.ts";

/** The columns of a statement, the same ones until more is known of them: what runs is heard of many times a second. */
export function useColumns(statement: StatementResult): readonly ResultColumn[] {
  const latest = useRef(statement);
  latest.current = statement;
  const known = JSON.stringify(statement.columnFacts);
  return useMemo(() => columnsOf(latest.current), [statement.columns.length, known]);
}
