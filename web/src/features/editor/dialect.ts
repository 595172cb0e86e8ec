import { SQLDialect, StandardSQL } from "@codemirror/lang-sql";
import { type Dialect, ParameterStyle, StringForm } from "../../gen/plugin/v1/plugin_pb.ts";

/** Signs that begin a parameter, by style. */
const SIGNS: Readonly<Partial<Record<ParameterStyle, string>>> = {
  [ParameterStyle.QUESTION_MARK]: "?",
  [ParameterStyle.QUESTION_NUMBER]: "?",
  [ParameterStyle.DOLLAR_NUMBER]: "$",
  [ParameterStyle.COLON_NAME]: ":",
  [ParameterStyle.AT_NAME]: "@",
  [ParameterStyle.DOLLAR_NAME]: "$",
};

/** How the editor colors SQL, by the facts that the driver tells of its database. */
export function dialectOf(facts: Dialect | undefined): SQLDialect {
  if (facts === undefined) return StandardSQL;
  const forms = new Set(facts.stringForms);
  return SQLDialect.define({
    keywords: facts.keywords.join(" ").toLowerCase(),
    types: TYPES,
    identifierQuotes: facts.identifierQuotes.map((quote) => (quote === "[" ? "" : quote)).join("") || '"',
    backslashEscapes: forms.has(StringForm.BACKSLASH_ESCAPES),
    doubleDollarQuotedStrings: forms.has(StringForm.DOLLAR_QUOTES),
    hashComments: facts.lineComments.includes("#"),
    specialVar: [...new Set(facts.parameterStyles.map((style) => SIGNS[style] ?? ""))].join(""),
    operatorChars: "*+-%<>!=&|~^/",
  });
}

/** Words that name types in most databases: only for their color. */
const TYPES =
  "int integer bigint smallint int2 int4 int8 serial bigserial numeric decimal real float float4 float8 double precision money boolean bool " +
  "text char character varchar varying bytea blob date time timestamp timestamptz timetz interval uuid json jsonb xml inet cidr array";
