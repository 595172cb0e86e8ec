/** A tag, or what an element may have in its place, from where it begins. Nothing of it contains a `<`. */
const TAG = /<(\/?)([\p{L}_:][^\s<>"'/]*)(?:"[^"<]*"|'[^'<]*'|[^<>"'])*>/uy;
const CLOSED: readonly (readonly [string, string])[] = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
  ["<!DOCTYPE", ">"],
];

type Part = { readonly kind: "open" | "close" | "other" | "text"; readonly text: string; readonly name: string };

/** XML with each element on a line of its own; text beside text stays as it is. `undefined`: it is no XML. */
export function formatXml(text: string): string | undefined {
  const parts = partsOf(text.trim());
  if (parts === undefined) return undefined;
  let out = "";
  let depth = 0;
  parts.forEach((part, at) => {
    const before = parts[at - 1];
    if (part.kind === "close") depth--;
    // What stands beside text may mean something to whoever reads it.
    const isBound = part.kind === "text" || before?.kind === "text" || (part.kind === "close" && before?.kind === "open");
    out += at === 0 ? part.text : isBound ? part.text : `\n${"  ".repeat(depth)}${part.text}`;
    if (part.kind === "open") depth++;
  });
  return out;
}

/** Its parts without the white space between them. */
function partsOf(text: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  const open: string[] = [];
  for (let at = 0; at < text.length; ) {
    const part = partAt(text, at);
    if (part === undefined) return undefined;
    at += part.text.length;
    if (part.kind === "open") open.push(part.name);
    if (part.kind === "close" && open.pop() !== part.name) return undefined;
    // An element has text of its own, or white space.
    if (part.kind === "text" && part.text.trim() === "") continue;
    if (part.kind === "text" && open.length === 0) return undefined;
    parts.push(part);
  }
  return open.length === 0 && parts.some(({ name }) => name !== "") ? parts : undefined;
}

function partAt(text: string, at: number): Part | undefined {
  if (text[at] !== "<") {
    const end = text.indexOf("<", at);
    return { kind: "text", text: text.slice(at, end < 0 ? undefined : end), name: "" };
  }
  const closed = CLOSED.find(([begin]) => text.startsWith(begin, at));
  if (closed !== undefined) {
    const [begin, ending] = closed;
    const end = text.indexOf(ending, at + begin.length);
    if (end < 0 || (begin === "<!DOCTYPE" && text.slice(at, end).includes("["))) return undefined;
    return { kind: begin === "<![CDATA[" ? "text" : "other", text: text.slice(at, end + ending.length), name: "" };
  }
  TAG.lastIndex = at;
  const [tag, slash, name = ""] = TAG.exec(text) ?? [];
  if (tag === undefined) return undefined;
  return { kind: slash === "/" ? "close" : tag.endsWith("/>") ? "other" : "open", text: tag, name };
}
