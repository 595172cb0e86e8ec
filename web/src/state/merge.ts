/** Values by name. One that is as it is by itself is left out. */
export type Values = Readonly<Record<string, string | number | boolean>>;

/** What two have made of the same values: where one of them changed nothing, the other one's holds; else the first one's. */
export function merge(base: Values, mine: Values, theirs: Values): Values {
  const names = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  const merged: Record<string, string | number | boolean> = {};
  for (const name of names) {
    const value = mine[name] === base[name] ? theirs[name] : mine[name];
    if (value !== undefined) merged[name] = value;
  }
  return merged;
}

export function areSame(one: Values, other: Values): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** Values as they were written down, as far as they are any. */
export function parseValues(text: string | null | undefined): Values {
  try {
    const kept: unknown = JSON.parse(text ?? "{}");
    if (typeof kept !== "object" || kept === null) return {};
    return Object.fromEntries(Object.entries(kept).filter((entry): entry is [string, string | number | boolean] => ["string", "number", "boolean"].includes(typeof entry[1])));
  } catch {
    return {};
  }
}
