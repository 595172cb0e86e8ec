import { expect, test } from "vitest";
import { shortType, typeFamily } from "./type_family.ts";

test("long words for types are short where names need the room", () => {
  const pairs: readonly (readonly [string, string])[] = [
    ["timestamp(0) with time zone", "timestamptz(0)"],
    ["timestamp with time zone[]", "timestamptz[]"],
    ["timestamp without time zone", "timestamp"],
    ["time(3) with time zone", "timetz(3)"],
    ["character varying(20)", "varchar(20)"],
    ["character(3)", "char(3)"],
    ["character", "char"],
    ["double precision", "double"],
    ["public.character_kind", "public.character_kind"],
    ["numeric(12,2)", "numeric(12,2)"],
    ["", ""],
  ];
  for (const [long, short] of pairs) {
    expect(shortType(long)).toBe(short);
    expect(typeFamily(short)).toBe(typeFamily(long));
  }
});
