const SHORT: readonly (readonly [RegExp, string])[] = [
  [/^timestamp(\(\d+\))? with time zone/i, "timestamptz$1"],
  [/^timestamp(\(\d+\))? without time zone/i, "timestamp$1"],
  [/^time(\(\d+\))? with time zone/i, "timetz$1"],
  [/^time(\(\d+\))? without time zone/i, "time$1"],
  [/^character varying/i, "varchar"],
  [/^character(?=\(|$|\[)/i, "char"],
  [/^double precision/i, "double"],
];

/** A type in the short word that databases have for it too, where the long one would take the room of names. */
export function shortType(databaseType: string): string {
  const known = SHORT.find(([pattern]) => pattern.test(databaseType));
  return known === undefined ? databaseType : databaseType.replace(known[0], (_, size: string | undefined) => known[1].replace("$1", typeof size === "string" ? size : ""));
}

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
