import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Condition, ConditionSchema } from "../gen/core/v1/result_pb.ts";

/** What Core takes of one filter, as result.proto has it. */
const BYTES_MAX = 64 << 10;
const CONDITIONS_MAX = 1_000;
const DEPTH_MAX = 32;
const PATTERNS_MAX = 32;

/** Why a filter is more than Core takes, and what to do about it. `undefined`: it is not. */
export function tooMuchOf(filter: MessageInitShape<typeof ConditionSchema>): string | undefined {
  const condition = create(ConditionSchema, filter);
  const found = { conditions: 0, depth: 0, patterns: new Set<string>() };
  count(condition, 1, found);
  if (found.patterns.size > PATTERNS_MAX) return `It looks for ${found.patterns.size} texts and patterns, and ${PATTERNS_MAX} is the most: join some as one pattern, such as name ~ 'a|b'`;
  if (found.conditions > CONDITIONS_MAX) return `It has ${found.conditions.toLocaleString("en-US")} conditions, and 1,000 is the most: compare with fewer values`;
  if (found.depth > DEPTH_MAX) return `Its parentheses go ${found.depth} deep, and ${DEPTH_MAX} is the most`;
  // Some room is left for what the condition is wrapped into.
  if (toBinary(ConditionSchema, condition).length > BYTES_MAX - 64) return "It is too long: its values, texts and patterns have 64 KiB at most together. Compare with the beginning of a long value: name ~ '^…'";
  return undefined;
}

function count({ condition }: Condition, depth: number, found: { conditions: number; depth: number; readonly patterns: Set<string> }): void {
  found.conditions++;
  found.depth = Math.max(found.depth, depth);
  switch (condition.case) {
    case "all":
    case "any":
      for (const inner of condition.value.conditions) count(inner, depth + 1, found);
      return;
    case "not":
      return count(condition.value, depth + 1, found);
    case "cell": {
      const { test, ignoreCase } = condition.value;
      if (test.case === "contains" || test.case === "matches") found.patterns.add(JSON.stringify([test.case, test.value, ignoreCase]));
      return;
    }
    case undefined:
      return;
  }
}
