/** What deserves a second look before it runs. It is looked for in words, so it is a help and no protection. */
export function dangerOf(sql: string): string | undefined {
  for (const statement of plain(sql).split(";")) {
    const words = statement.trim().toUpperCase();
    const verb = /^(?:WITH\b[\s\S]*?\b)?(UPDATE|DELETE)\b/.exec(words)?.[1];
    if (verb !== undefined && !/\bWHERE\b/.test(words)) return `${verb} without WHERE: every row`;
    const dropped = /^(DROP|TRUNCATE)\b\s*(\w+)?/.exec(words);
    if (dropped !== null) return `${dropped[1] ?? ""} ${dropped[2] ?? ""}`.trim();
  }
  return undefined;
}

/** The text without what is quoted or commented. */
function plain(sql: string): string {
  return sql.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$)[\s\S]*?\1/g, " ");
}
