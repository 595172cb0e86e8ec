import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ExportOrderSchema } from "../gen/core/v1/result_pb.ts";
import type { Core } from "../transport/core.ts";

type Format = NonNullable<MessageInitShape<typeof ExportOrderSchema>["format"]>;

export type ExportFormat = Exclude<Format["case"], undefined>;

/** What somebody chooses of an export. */
export interface ExportChoice {
  readonly format: ExportFormat;
  readonly delimiter: string;
  readonly hasHeader: boolean;
  readonly quoteAll: boolean;
  readonly nullText: string;
  readonly crlf: boolean;
  readonly neutralizeFormulas: boolean;
  readonly table: string;
  readonly fileName: string;
}

export const EXPORT_FORMATS: readonly { readonly format: ExportFormat; readonly name: string; readonly ending: string; readonly says: string }[] = [
  { format: "csv", name: "CSV", ending: "csv", says: "Values between commas, for spreadsheets and programs" },
  { format: "xlsx", name: "Excel", ending: "xlsx", says: "A workbook" },
  { format: "json", name: "JSON", ending: "json", says: "One array with an object a row" },
  { format: "ndjson", name: "NDJSON", ending: "ndjson", says: "An object a line" },
  { format: "parquet", name: "Parquet", ending: "parquet", says: "Columns with their types, compressed" },
  { format: "arrow", name: "Arrow", ending: "arrows", says: "Columns with their types, as a stream of Arrow IPC" },
  { format: "sqlInsert", name: "INSERT", ending: "sql", says: "Statements in the SQL of the database" },
  { format: "tsv", name: "COPY text", ending: "tsv", says: "As PostgreSQL's COPY writes and reads it" },
  { format: "markdown", name: "Markdown", ending: "md", says: "A table" },
];

export function firstChoice(title: string, table: readonly string[]): ExportChoice {
  return {
    format: "csv",
    delimiter: ",",
    hasHeader: true,
    quoteAll: false,
    nullText: "",
    crlf: false,
    neutralizeFormulas: false,
    table: tableText(table),
    fileName: fileNameOf(title),
  };
}

/** A title as the name of a file, without what no system wants in one. */
export function fileNameOf(title: string): string {
  const name = title.replaceAll(/[\p{Cc}/\\:*?"<>|]+/gu, " ").replaceAll(/\s+/g, " ").trim().replace(/^\.+/, "");
  return Array.from(name).slice(0, 60).join("") || "result";
}

/** A table's name as people write it: in quotes where it would be taken for several. */
function tableText(parts: readonly string[]): string {
  return parts.map((part) => (/^[^\s".]+$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`)).join(".");
}

/** The parts of a table's name, without quotes. */
export function tableParts(text: string): readonly string[] {
  const parts = text.match(/"(?:[^"]|"")*"|[^".]+/g) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.trim())).filter((part) => part !== "");
}

export function formatOf(choice: ExportChoice): Format {
  switch (choice.format) {
    case "csv": {
      const { delimiter, quoteAll, nullText, crlf, neutralizeFormulas, hasHeader } = choice;
      return { case: "csv", value: { delimiter, noHeader: !hasHeader, quoteAll, nullText, crlf, neutralizeFormulas } };
    }
    case "sqlInsert":
      return { case: "sqlInsert", value: { table: [...tableParts(choice.table)] } };
    default:
      return { case: choice.format, value: {} } as Format;
  }
}

interface Rows {
  readonly resultId: string;
  readonly statement: number;
  readonly view: number;
}

/** Where the browser fetches an export: once, and soon. The rows go to its file without passing through the page. */
export async function downloadPath(core: Core, rows: Rows, choice: ExportChoice, signal: AbortSignal): Promise<{ readonly path: string; readonly fileName: string }> {
  const ending = EXPORT_FORMATS.find(({ format }) => format === choice.format)?.ending ?? "";
  const fileName = `${fileNameOf(choice.fileName)}.${ending}`;
  const order = { ...rows, format: formatOf(choice) };
  const made = await core.results.makeDownload({ order, fileName }, { signal });
  return { path: `/download?ticket=${encodeURIComponent(made.ticket)}`, fileName: made.fileName };
}
