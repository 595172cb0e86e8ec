/** The families of types that headers and the tree tell apart by color and icon. */
export type TypeFamily = "number" | "text" | "boolean" | "time" | "json" | "binary" | "other";

const WORDS: readonly (readonly [RegExp, TypeFamily])[] = [
  [/^(bool)/, "boolean"],
  [/^(date|time|timestamp|timestamptz|timetz|interval|year)/, "time"],
  [/^(json|xml)/, "json"],
  [/^(bytea|blob|binary|varbinary)/, "binary"],
  [/(int|serial|numeric|decimal|real|double|float|money|number|oid)/, "number"],
  [/(char|text|clob|string|name|citext|uuid)/, "text"],
];

/** The family of a type by the database's own word for it: only for how a name looks, never for a value. */
export function typeFamily(databaseType: string): TypeFamily {
  const word = databaseType.toLowerCase();
  if (word.endsWith("[]")) return "other";
  return WORDS.find(([pattern]) => pattern.test(word))?.[1] ?? (word === "" ? "text" : "other");
}
