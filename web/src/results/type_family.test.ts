import { expect, test } from "vitest";
import { headFamily, shortType, typeFamily } from "./type_family.ts";

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

test("what is no type of the database's own looks like none of them, whatever it is called", () => {
  const families: Readonly<Record<ReturnType<typeof typeFamily>, readonly string[]>> = {
    number: ["integer", "int8", "UNSIGNED BIG INT", "bigint", "bigserial", "numeric(12,2)", "double precision", "FLOAT", "money", "decimal (10, 2)"],
    text: ["text", "character varying(20)", "varchar", "NATIVE CHARACTER(70)", "nvarchar(10)", '"char"', "bpchar", "uuid", ""],
    boolean: ["boolean", "BOOL"],
    time: ["date", "timestamp(3) with time zone", "timestamptz", "time without time zone", "interval", "interval day to second", "DATETIME"],
    json: ["json", "jsonb", "xml"],
    binary: ["bytea", "BLOB"],
    other: ["order_status", "public.text_kind", "point", "int4range", "timeline", "real_estate", "name_part", "boolean[]", "text[]", "record", "inet"],
  };
  for (const [family, types] of Object.entries(families)) for (const type of types) expect(typeFamily(type), type).toBe(family);
});

test("a head goes by its values, and by the type's word where they are text", () => {
  expect(headFamily({ family: "text", type: "order_status" })).toBe("other");
  expect(headFamily({ family: "text", type: "varchar(3)" })).toBe("text");
  expect(headFamily({ family: "text", type: "interval" })).toBe("time");
  expect(headFamily({ family: "other", type: "uuid" })).toBe("text");
  expect(headFamily({ family: "number", type: "quantity" })).toBe("number");
});
