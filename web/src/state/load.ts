import type { Problem } from "../transport/problem.ts";

/** Something that Core is asked for. */
export type Load<T> =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly problem: Problem }
  | { readonly kind: "ready"; readonly value: T };

/** What is there, if it is. */
export function valueOf<T>(load: Load<T>): T | undefined {
  return load.kind === "ready" ? load.value : undefined;
}
