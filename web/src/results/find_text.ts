/** Places that are marked at most: more are as good as none. */
export const FOUND_MAX = 1_000;

/** Where a text is found in another, whatever the case: first and last units of each place. */
export function findText(text: string, wanted: string): readonly (readonly [number, number])[] {
  if (wanted === "") return [];
  const found: (readonly [number, number])[] = [];
  for (const match of text.matchAll(new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "giu"))) {
    found.push([match.index, match.index + match[0].length]);
    if (found.length === FOUND_MAX) break;
  }
  return found;
}
