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
  [/^bool(ean)?$/, "boolean"],
  [/^(date(time)?|year|time(stamp)?(tz| with(out)? time zone)?|interval.*)$/, "time"],
  [/^(jsonb?|xml)$/, "json"],
  [/^(bytea|(tiny|medium|long)?blob|(var)?binary)$/, "binary"],
  [/^(unsigned )?((tiny|small|medium|big) ?)?(int\d?|integer|serial\d?)( unsigned)?$/, "number"],
  [/^(numeric|dec(imal)?|real|double( precision)?|float\d?|money|number|oid)$/, "number"],
  [/^((native |varying )?char(acter)?( varying)?|"char"|bpchar|n?(var)?char|nvarchar|(tiny|medium|long)?text|n?clob|string|name|citext|uuid)?$/, "text"],
];

/**
 * The family of a type by the database's own word for it: only for how a name looks, never for a value. A word that is not known
 * whole is a type of the user's own, whatever it begins with.
 */
export function typeFamily(databaseType: string): TypeFamily {
  const word = databaseType.toLowerCase().replace(/ *\([^)]*\)/, "");
  return WORDS.find(([pattern]) => pattern.test(word))?.[1] ?? "other";
}

/** The family that a head is colored by: that of the values, and by the type's own word where they come as text. */
export function headFamily({ family, type }: { readonly family: TypeFamily; readonly type: string }): TypeFamily {
  return family === "text" || family === "other" ? typeFamily(type) : family;
}
