/** A value of a JSON text, with its numbers and texts as they are written. */
export type JsonNode =
  | { readonly kind: "object"; readonly parts: readonly (readonly [string, JsonNode])[] }
  | { readonly kind: "array"; readonly parts: readonly JsonNode[] }
  | { readonly kind: "text" | "number" | "word"; readonly text: string };

/** Above this no tree is made: it would hold the page up. */
const TREE_MAX = 2_000_000;
const DEPTH_MAX = 200;

class Fault extends Error {}

/** The value of a JSON text. `undefined`: it is none, or too long or deep for a tree. */
export function jsonTree(text: string): JsonNode | undefined {
  if (text.length > TREE_MAX) return undefined;
  try {
    const reader = new Reader(text.match(TOKEN) ?? []);
    JSON.parse(text);
    return reader.value(0);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Fault) return undefined;
    throw error;
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

class Reader {
  private next = 0;

  constructor(private readonly tokens: readonly string[]) {}

  value(depth: number): JsonNode {
    if (depth > DEPTH_MAX) throw new Fault();
    const token = this.tokens[this.next++] ?? "";
    if (token === "{") return { kind: "object", parts: this.parts("}", () => this.member(depth)) };
    if (token === "[") return { kind: "array", parts: this.parts("]", () => this.value(depth + 1)) };
    if (token.startsWith('"')) return { kind: "text", text: String(JSON.parse(token)) };
    return { kind: /^[-\d]/.test(token) ? "number" : "word", text: token };
  }

  private member(depth: number): readonly [string, JsonNode] {
    const name = String(JSON.parse(this.tokens[this.next++] ?? ""));
    this.next++;
    return [name, this.value(depth + 1)];
  }

  private parts<T>(end: string, read: () => T): readonly T[] {
    const parts: T[] = [];
    while (this.tokens[this.next] !== end) {
      parts.push(read());
      if (this.tokens[this.next] === ",") this.next++;
    }
    this.next++;
    return parts;
  }
}
