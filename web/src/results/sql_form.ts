import { ByteLiterals, type Dialect, StringForm } from "../gen/plugin/v1/plugin_pb.ts";
import { type SqlForm, STANDARD_SQL } from "./copy.ts";

/** How a driver's database writes names and literals. */
export function sqlFormOf(dialect: Dialect | undefined): SqlForm {
  if (dialect === undefined) return STANDARD_SQL;
  const bytes: Readonly<Record<ByteLiterals, SqlForm["bytes"]>> = {
    [ByteLiterals.UNSPECIFIED]: "standard",
    [ByteLiterals.STANDARD]: "standard",
    [ByteLiterals.POSTGRES]: "postgres",
    [ByteLiterals.NUMBER]: "number",
  };
  return {
    quotes: dialect.identifierQuotes,
    backslashes: dialect.stringForms.includes(StringForm.BACKSLASH_ESCAPES),
    bytes: bytes[dialect.byteLiterals],
  };
}
