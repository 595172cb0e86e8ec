import type { MessageInitShape } from "@bufbuild/protobuf";
import { type CellTestSchema, Comparison, type ConditionSchema } from "../gen/core/v1/result_pb.ts";
import { tooMuchOf } from "./filter_limits.ts";
import type { ResultColumn } from "./source.ts";

type Condition = MessageInitShape<typeof ConditionSchema>;
type CellTest = NonNullable<MessageInitShape<typeof CellTestSchema>["test"]>;

/** A filter as people write it, read: a condition, or what is wrong with it and where. */
export type ReadFilter =
  | { readonly kind: "none" }
  | { readonly kind: "condition"; readonly condition: Condition }
  | { readonly kind: "fault"; readonly at: number; readonly message: string };

interface Token {
  readonly kind: "word" | "name" | "text" | "sign" | "end";
  readonly text: string;
  readonly at: number;
}

const COMPARISONS: Readonly<Partial<Record<string, Comparison>>> = {
  "=": Comparison.EQUAL,
  "==": Comparison.EQUAL,
  "<>": Comparison.NOT_EQUAL,
  "!=": Comparison.NOT_EQUAL,
  "<": Comparison.LESS,
  "<=": Comparison.LESS_OR_EQUAL,
  ">": Comparison.GREATER,
  ">=": Comparison.GREATER_OR_EQUAL,
};

class Fault extends Error {
  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Reads a filter such as `total >= 10 and (status = 'paid' or note is null)`.
 *
 * It is looked up in the kept rows and never sent to the database: the words are those of SQL, for people know them.
 */
export function readFilter(text: string, columns: readonly ResultColumn[]): ReadFilter {
  if (text.trim() === "") return { kind: "none" };
  try {
    const condition = new Reader(tokensOf(text), columns).all();
    const tooMuch = tooMuchOf(condition);
    return tooMuch === undefined ? { kind: "condition", condition } : { kind: "fault", at: 0, message: tooMuch };
  } catch (error) {
    if (error instanceof Fault) return { kind: "fault", at: error.at, message: error.message };
    throw error;
  }
}

/** A test for a cell's value, to be read by `readFilter`. `undefined`: the cell is NULL. */
export function testText(column: ResultColumn, value: string | undefined, isKept: boolean): string {
  const name = nameText(column.name);
  if (value === undefined) return `${name} is ${isKept ? "" : "not "}null`;
  return `${name} ${isKept ? "=" : "<>"} '${value.replaceAll("'", "''")}'`;
}

/** A filter with one more test. */
export function withTest(filter: string, test: string): string {
  if (filter.trim() === "") return test;
  return /\bor\b/i.test(filter) ? `(${filter.trim()}) and ${test}` : `${filter.trim()} and ${test}`;
}

function nameText(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !RESERVED.has(name.toLowerCase()) ? name : `"${name.replaceAll('"', '""')}"`;
}

const RESERVED: ReadonlySet<string> = new Set(["and", "or", "not", "is", "null", "in", "like", "ilike", "between", "contains"]);

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = /\s+|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|(<>|!=|==|<=|>=|!~\*|!~|~\*|[=<>~(),])|([^\s'"=<>!~(),]+)/y;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(text);
    if (found === null) throw new Fault(at, /['"]/.test(text.charAt(at)) ? "This text does not end" : "This is no part of a filter");
    const [, quoted, name, sign, word] = found;
    if (quoted !== undefined) tokens.push({ kind: "text", text: quoted.replaceAll("''", "'"), at });
    else if (name !== undefined) tokens.push({ kind: "name", text: name.replaceAll('""', '"'), at });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign, at });
    else if (word !== undefined) tokens.push({ kind: "word", text: word, at });
  }
  return [...tokens, { kind: "end", text: "", at: text.length }];
}

const END: Token = { kind: "end", text: "", at: 0 };

class Reader {
  private next = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly columns: readonly ResultColumn[],
  ) {}

  all(): Condition {
    const condition = this.alternatives();
    if (this.token.kind !== "end") throw new Fault(this.token.at, "Expected “and” or “or” here");
    return condition;
  }

  private get token(): Token {
    return this.tokens[this.next] ?? this.tokens.at(-1) ?? END;
  }

  private take(): Token {
    const { token } = this;
    this.next++;
    return token;
  }

  private isWord(word: string): boolean {
    return this.token.kind === "word" && this.token.text.toLowerCase() === word;
  }

  private skip(word: string): boolean {
    const isThere = this.isWord(word);
    if (isThere) this.next++;
    return isThere;
  }

  private sign(sign: string): boolean {
    const isThere = this.token.kind === "sign" && this.token.text === sign;
    if (isThere) this.next++;
    return isThere;
  }

  private alternatives(): Condition {
    const conditions = [this.together()];
    while (this.skip("or")) conditions.push(this.together());
    return several("any", conditions);
  }

  private together(): Condition {
    const conditions = [this.one()];
    while (this.skip("and")) conditions.push(this.one());
    return several("all", conditions);
  }

  private one(): Condition {
    if (this.skip("not")) return negated(this.one());
    if (this.sign("(")) {
      const inner = this.alternatives();
      if (!this.sign(")")) throw new Fault(this.token.at, "A “)” is missing");
      return inner;
    }
    return this.test();
  }

  private test(): Condition {
    const column = this.column();
    const cell = (test: CellTest, ignoreCase = false): Condition => ({
      condition: { case: "cell", value: { column, ignoreCase, test } },
    });
    const { token } = this;
    if (this.skip("is")) {
      const isNot = this.skip("not");
      if (!this.skip("null")) throw new Fault(this.token.at, "Expected “null” here");
      const isNull = cell({ case: "isNull", value: {} });
      return isNot ? negated(isNull) : isNull;
    }
    const isNot = this.skip("not");
    const positive = this.wordTest(cell);
    if (positive !== undefined) return isNot ? this.present(negated(positive), cell) : positive;
    if (isNot) throw new Fault(this.token.at, "Expected “in”, “like”, “between” or “contains” here");
    this.next++;
    const comparison = COMPARISONS[token.text];
    if (token.kind === "sign" && comparison !== undefined) {
      return cell({ case: "compare", value: { comparison, value: this.value() } });
    }
    if (token.kind === "sign" && token.text.includes("~")) {
      const found = cell({ case: "matches", value: this.value() }, token.text.endsWith("*"));
      return token.text.startsWith("!") ? this.present(negated(found), cell) : found;
    }
    throw new Fault(token.at, "Expected a comparison here: =, <>, <, >, ~, in, like, is null");
  }

  private wordTest(cell: (test: CellTest, ignoreCase?: boolean) => Condition): Condition | undefined {
    const compare = (comparison: Comparison, value: string) => cell({ case: "compare", value: { comparison, value } });
    if (this.skip("in")) {
      if (!this.sign("(")) throw new Fault(this.token.at, "Expected a “(” here");
      const values = [this.value()];
      while (this.sign(",")) values.push(this.value());
      if (!this.sign(")")) throw new Fault(this.token.at, "A “)” is missing");
      return several("any", values.map((value) => compare(Comparison.EQUAL, value)));
    }
    if (this.skip("between")) {
      const least = this.value();
      if (!this.skip("and")) throw new Fault(this.token.at, "Expected “and” here");
      return several("all", [compare(Comparison.GREATER_OR_EQUAL, least), compare(Comparison.LESS_OR_EQUAL, this.value())]);
    }
    if (this.skip("contains")) return cell({ case: "contains", value: this.value() }, true);
    const ignoreCase = this.isWord("ilike");
    if (this.skip("like") || this.skip("ilike")) return cell({ case: "matches", value: likePattern(this.value()) }, ignoreCase);
    return undefined;
  }

  /** As in SQL, NULL is neither what is looked for nor anything else. */
  private present(condition: Condition, cell: (test: CellTest) => Condition): Condition {
    return several("all", [condition, negated(cell({ case: "isNull", value: {} }))]);
  }

  private column(): number {
    const token = this.take();
    if (token.kind !== "word" && token.kind !== "name") throw new Fault(token.at, "Expected a column's name here");
    const exact = this.columns.findIndex(({ name }) => name === token.text);
    const alike = this.columns.findIndex(({ name }) => name.toLowerCase() === token.text.toLowerCase());
    const column = exact >= 0 || token.kind === "name" ? exact : alike;
    if (column < 0) throw new Fault(token.at, `There is no column “${token.text}”`);
    return column;
  }

  private value(): string {
    const token = this.take();
    if (token.kind === "text" || token.kind === "word") return token.text;
    throw new Fault(token.at, "Expected a value here");
  }
}

function several(kind: "all" | "any", conditions: readonly Condition[]): Condition {
  const [only] = conditions;
  return conditions.length === 1 && only !== undefined ? only : { condition: { case: kind, value: { conditions: [...conditions] } } };
}

function negated(condition: Condition): Condition {
  return { condition: { case: "not", value: condition } };
}

/** The regular expression of a pattern of LIKE: `%` is any text, `_` any character. */
export function likePattern(pattern: string): string {
  const inner = Array.from(pattern, (sign) => (sign === "%" ? ".*" : sign === "_" ? "." : sign.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))).join("");
  return `(?s)^${inner}$`;
}
