import { tableOf } from "./columns.ts";
import type { Cell, ResultColumn, RowWindow } from "./source.ts";
import type { Range } from "./selection.ts";

/** Cells that go to the clipboard at most: beyond it an export is the better way. */
export const COPY_CELLS_MAX = 500_000;

export type CopyFormat = "tsv" | "tsv-names" | "csv" | "json" | "markdown" | "insert" | "in-list" | "record";

/** Those that are offered of a selection; a record is one row, a line for each of its columns. */
export const COPY_FORMATS: readonly (readonly [CopyFormat, string])[] = [
  ["tsv", "Values between tabs"],
  ["tsv-names", "Values between tabs, with names"],
  ["csv", "CSV"],
  ["json", "JSON"],
  ["markdown", "Markdown"],
  ["insert", "INSERT"],
  ["in-list", "List for IN"],
];

/** How a database writes names and literals. */
export interface SqlForm {
  /** The characters that open a quoted name, the one to write first. */
  readonly quotes: readonly string[];
  /** A backslash in a literal means something: it is written twice. */
  readonly backslashes: boolean;
  readonly bytes: "standard" | "postgres" | "number";
}

/** As the SQL standard has it, and most databases read it. */
export const STANDARD_SQL: SqlForm = { quotes: ['"'], backslashes: false, bytes: "standard" };

interface Writer {
  readonly before: string;
  /** Between two rows. */
  readonly between: string;
  readonly after: string;
  readonly row: (cells: readonly Cell[]) => string;
}

/** Rows as text in a format. A single cell as values between tabs is its text alone. */
export async function copyTextOf(
  windows: AsyncIterable<RowWindow>,
  range: Range,
  columns: readonly ResultColumn[],
  format: CopyFormat,
  form: SqlForm = STANDARD_SQL,
): Promise<string> {
  const isSingle = range.top === range.bottom && range.left === range.right;
  const writer = isSingle && format === "tsv" ? SINGLE : writerOf(format, columns.slice(range.left, range.right + 1), form);
  const rows: string[] = [];
  for await (const window of windows) {
    for (let row = window.first; row < window.first + window.count; row++) {
      const cells: Cell[] = [];
      for (let column = range.left; column <= range.right; column++) cells.push(window.cell(row, column));
      rows.push(writer.row(cells));
    }
  }
  return writer.before + rows.join(writer.between) + writer.after;
}

function writerOf(format: CopyFormat, columns: readonly ResultColumn[], form: SqlForm): Writer {
  const names = columns.map(({ name }) => name);
  switch (format) {
    case "tsv":
    case "tsv-names": {
      const before = format === "tsv" ? "" : `${names.map(quotedTsv).join("\t")}\n`;
      return { before, between: "\n", after: "", row: (cells) => cells.map((cell) => quotedTsv(textOf(cell))).join("\t") };
    }
    case "csv":
      return { before: `${names.map(quotedCsv).join(",")}\n`, between: "\n", after: "\n", row: (cells) => cells.map(csvCell).join(",") };
    case "json": {
      const keys = uniqueNames(names).map((name) => JSON.stringify(name));
      const row = (cells: readonly Cell[]) => `  {${cells.map((cell, at) => `${keys[at] ?? ""}: ${jsonCell(cell, columns[at])}`).join(", ")}}`;
      return { before: "[\n", between: ",\n", after: "\n]\n", row };
    }
    case "markdown": {
      const line = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;
      const rule = line(columns.map(({ isNumber }) => (isNumber ? "---:" : "---")));
      const before = `${line(names.map(markdownText))}\n${rule}\n`;
      return { before, between: "\n", after: "\n", row: (cells) => line(cells.map((cell) => (cell.state === "null" ? "NULL" : markdownText(cell.text)))) };
    }
    case "insert": {
      const origins = columns.map(({ origin }) => origin?.column ?? "").filter((column) => column !== "");
      // A table has each column once: rows with one of them twice are none of its rows, as with a table that is joined to itself.
      const table = new Set(origins).size === origins.length ? tableOf(columns) : undefined;
      const heads = columns.map(({ name, origin }) => quotedName((table === undefined ? "" : origin?.column) || name, form)).join(", ");
      const row = (cells: readonly Cell[]) => `  (${cells.map((cell, at) => sqlCell(cell, columns[at], form)).join(", ")})`;
      return { before: `INSERT INTO ${(table ?? ["table"]).map((name) => quotedName(name, form)).join(".")} (${heads}) VALUES\n`, between: ",\n", after: ";\n", row };
    }
    case "record":
      return { before: "", between: "\n\n", after: "", row: (cells) => cells.map((cell, at) => `${names[at] ?? ""}\t${quotedTsv(textOf(cell))}`).join("\n") };
    case "in-list":
      return { before: "(", between: ", ", after: ")", row: (cells) => cells.map((cell, at) => sqlCell(cell, columns[at], form)).join(", ") };
  }
}

/** Quoted whatever it is: then it is no keyword, and keeps its case. */
function quotedName(name: string, { quotes }: SqlForm): string {
  const open = quotes[0] ?? '"';
  const close = open === "[" ? "]" : open;
  return open + name.replaceAll(close, close + close) + close;
}

const SINGLE: Writer = { before: "", between: "", after: "", row: ([cell]) => (cell === undefined ? "" : textOf(cell)) };

function textOf(cell: Cell): string {
  return cell.state === "null" ? "" : cell.text;
}

/** Quotes around a text that would be taken for several cells. */
function quotedTsv(text: string): string {
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function quotedCsv(text: string): string {
  return text === "" || /[,\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** NULL is nothing between the commas, the empty text is `""`. */
function csvCell(cell: Cell): string {
  return cell.state === "null" ? "" : quotedCsv(cell.text);
}

const PLAIN_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** Numbers as the server printed them; what JSON has no number for, such as NaN, is a text. */
function jsonCell(cell: Cell, column: ResultColumn | undefined): string {
  if (cell.state === "null") return "null";
  const family = cell.family ?? column?.family;
  if (cell.state === "value") {
    if (family === "number" && PLAIN_NUMBER.test(cell.text)) return cell.text;
    if (family === "boolean") {
      if (/^(t|true|1)$/.test(cell.text)) return "true";
      if (/^(f|false|0)$/.test(cell.text)) return "false";
    }
    if (family === "json" && isJson(cell.text)) return cell.text;
  }
  return JSON.stringify(cell.text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function sqlCell(cell: Cell, column: ResultColumn | undefined, { backslashes, bytes }: SqlForm): string {
  if (cell.state === "null") return "NULL";
  const family = cell.family ?? column?.family;
  if (cell.state === "value" && family === "number" && PLAIN_NUMBER.test(cell.text)) return cell.text;
  const digits = family === "binary" || cell.state === "undecodable" ? /^\\x((?:[0-9a-fA-F]{2})*)$/.exec(cell.text)?.[1] : undefined;
  if (digits !== undefined && bytes === "standard") return `X'${digits}'`;
  if (digits !== undefined && bytes === "number") return `0x${digits}`;
  const text = cell.text.replaceAll("'", "''");
  return `'${backslashes ? text.replaceAll("\\", "\\\\") : text}'`;
}

function markdownText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll(/\r\n|\r|\n/g, "<br>");
}

/** Names for the parts of an object, of which no two may be the same. */
export function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let number = 2; taken.has(free); number++) free = `${name}_${number}`;
    taken.add(free);
    return free;
  });
}
