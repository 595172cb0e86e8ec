/** Above this the text stays as it came: laying it out would hold the page up. */
const FORMAT_MAX = 500_000;

/**
 * A JSON object or array laid out over lines, token by token: numbers, texts and the order of names stay what they are, for
 * nothing is parsed into values and written again. What is no JSON comes back as it is.
 */
export function formatJson(text: string): string {
  if (!/^\s*[[{]/.test(text) || text.length > FORMAT_MAX || !isJson(text)) return text;
  let [out, depth] = ["", 0];
  const line = () => `\n${"  ".repeat(depth)}`;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  tokens.forEach((token, at) => {
    const next = tokens[at + 1];
    if (token === "{" || token === "[") {
      const isEmpty = next === "}" || next === "]";
      depth += 1;
      out += isEmpty ? token : token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const before = tokens[at - 1];
      out += before === "{" || before === "[" ? token : line() + token;
    } else if (token === ",") out += `,${line()}`;
    else out += token === ":" ? ": " : token;
  });
  return out;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
