//! Arguments that say how rows are written.

use std::path::Path;

use clap::{Args, ValueEnum, builder::PossibleValue};
use querybox_contracts::core::v1::{self as core, export_order::Format};

use crate::failure::Failure;

/// How results look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatArg {
    /// For eyes.
    Table,
    /// For programs, or to be kept.
    Document(DocumentArg),
}

/// The formats of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentArg {
    /// As PostgreSQL writes CSV: NULL is nothing, the empty text is "".
    Csv,
    /// As PostgreSQL's COPY writes text: tabs, backslash escapes, NULL is \N.
    Tsv,
    /// One array of objects a result; numbers keep their digits.
    Json,
    /// One object a line.
    Ndjson,
    /// A table of GitHub's Markdown, for reading: NULL in italics, line ends as <br>.
    Markdown,
    /// INSERT statements for --table, quoted as the database wants it.
    Sql,
    /// A workbook of Excel's, of one result.
    Xlsx,
    /// A Parquet file of one result, compressed by zstd.
    Parquet,
    /// An Arrow IPC stream of one result.
    Arrow,
}

impl ValueEnum for FormatArg {
    fn value_variants<'a>() -> &'a [Self] {
        use DocumentArg as D;

        &[
            Self::Table,
            Self::Document(D::Csv),
            Self::Document(D::Tsv),
            Self::Document(D::Json),
            Self::Document(D::Ndjson),
            Self::Document(D::Markdown),
            Self::Document(D::Sql),
            Self::Document(D::Xlsx),
            Self::Document(D::Parquet),
            Self::Document(D::Arrow),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Table => Some(
                PossibleValue::new("table")
                    .help("For eyes: aligned columns, NULL visible, control characters as escapes"),
            ),
            Self::Document(document) => document.to_possible_value(),
        }
    }
}

impl FormatArg {
    /// The format of files with such a name.
    pub(crate) fn by_ending(path: &Path) -> FormatArg {
        match ending(path).as_str() {
            "txt" => FormatArg::Table,
            _ => FormatArg::Document(DocumentArg::by_ending(path)),
        }
    }
}

impl DocumentArg {
    /// The format of files with such a name; CSV where it says nothing.
    pub(crate) fn by_ending(path: &Path) -> DocumentArg {
        match ending(path).as_str() {
            "tsv" | "tab" => DocumentArg::Tsv,
            "json" => DocumentArg::Json,
            "ndjson" | "jsonl" => DocumentArg::Ndjson,
            "md" => DocumentArg::Markdown,
            "sql" => DocumentArg::Sql,
            "xlsx" => DocumentArg::Xlsx,
            "parquet" => DocumentArg::Parquet,
            "arrow" | "arrows" => DocumentArg::Arrow,
            _ => DocumentArg::Csv,
        }
    }

    /// What people call a document that holds one result and no more. `None`: it holds one after another.
    pub(crate) fn of_one_result(self) -> Option<&'static str> {
        match self {
            Self::Csv | Self::Tsv | Self::Json | Self::Ndjson | Self::Markdown => None,
            Self::Sql => Some("a script of INSERT statements"),
            Self::Xlsx => Some("a workbook"),
            Self::Parquet => Some("a Parquet file"),
            Self::Arrow => Some("an Arrow stream"),
        }
    }

    /// Whether it is nothing for eyes.
    pub(crate) fn is_binary(self) -> bool {
        match self {
            Self::Xlsx | Self::Parquet | Self::Arrow => true,
            Self::Csv | Self::Tsv | Self::Json | Self::Ndjson | Self::Markdown | Self::Sql => false,
        }
    }

    /// Refuses what a terminal makes noise of.
    pub(crate) fn refuse_terminal(self) -> Result<(), Failure> {
        match self.of_one_result() {
            Some(noun) if self.is_binary() => {
                Err(Failure::usage(format!("{noun} is nothing for a terminal"))
                    .with_hint("write it to a file with `-o FILE`, or pipe it to a program that reads it"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn ending(path: &Path) -> String {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase()
}

/// How documents are written. Each option is one of a single format.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DocumentArgs {
    /// csv: the character between values [default: a comma]. `\t` is a tab.
    #[arg(long, value_name = "CHARACTER", value_parser = one_character, help_heading = HEADING)]
    pub delimiter: Option<char>,
    /// csv: no line of column names.
    #[arg(long, help_heading = HEADING)]
    pub no_header: bool,
    /// csv: quotes around every value but NULL, not only where they are needed.
    #[arg(long, help_heading = HEADING)]
    pub quote_all: bool,
    /// csv: what stands for NULL [default: nothing].
    #[arg(long, value_name = "TEXT", help_heading = HEADING)]
    pub null_text: Option<String>,
    /// csv: lines end with CR and LF.
    #[arg(long, help_heading = HEADING)]
    pub crlf: bool,
    /// csv: an apostrophe before text that a spreadsheet would run as a formula. Programs read the apostrophe too.
    #[arg(long, help_heading = HEADING)]
    pub neutralize_formulas: bool,
    /// sql: the table, with its schema before it where it has one: `shop.orders`. A name with a dot stands in double quotes.
    #[arg(long, value_name = "NAME", value_parser = table, help_heading = HEADING)]
    pub table: Option<TableArg>,
    /// sql: rows of a statement at most [default: 100].
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = HEADING)]
    pub insert_rows: Option<u32>,
    /// xlsx: rows of a sheet at most, after which another one begins [default: as many as Excel takes].
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=1_048_575), help_heading = HEADING)]
    pub sheet_rows: Option<u32>,
}

const HEADING: &str = "Options of single formats";

/// A table's name, with that of its schema before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableArg(Vec<String>);

impl DocumentArgs {
    /// The format with its options.
    ///
    /// # Errors
    ///
    /// A usage failure: an option is none of this format, or one is missing.
    pub(crate) fn format(&self, document: DocumentArg) -> Result<Format, Failure> {
        self.refuse_others(document)?;
        Ok(match document {
            DocumentArg::Csv => Format::Csv(core::CsvFormat {
                delimiter: self.delimiter.map_or_else(String::new, String::from),
                no_header: self.no_header,
                quote_all: self.quote_all,
                null_text: self.null_text.clone().unwrap_or_default(),
                crlf: self.crlf,
                neutralize_formulas: self.neutralize_formulas,
            }),
            DocumentArg::Tsv => Format::Tsv(core::TsvFormat {}),
            DocumentArg::Json => Format::Json(core::JsonFormat {}),
            DocumentArg::Ndjson => Format::Ndjson(core::NdjsonFormat {}),
            DocumentArg::Markdown => Format::Markdown(core::MarkdownFormat {}),
            DocumentArg::Sql => {
                let TableArg(table) = self.table.clone().ok_or_else(|| {
                    Failure::usage("INSERT statements need a table").with_hint("name it with `--table NAME`")
                })?;
                let rows_per_statement = self.insert_rows.unwrap_or_default();
                Format::SqlInsert(core::SqlInsertFormat { table, rows_per_statement })
            }
            DocumentArg::Xlsx => {
                Format::Xlsx(core::XlsxFormat { sheet_rows_max: self.sheet_rows.unwrap_or_default() })
            }
            DocumentArg::Parquet => Format::Parquet(core::ParquetFormat {}),
            DocumentArg::Arrow => Format::Arrow(core::ArrowFormat {}),
        })
    }

    /// Refuses options that this format does not have: whoever gave them expects something of them.
    fn refuse_others(&self, document: DocumentArg) -> Result<(), Failure> {
        use DocumentArg::{Csv, Sql, Xlsx};

        let given = [
            (self.delimiter.is_some(), "delimiter", Csv, "csv"),
            (self.no_header, "no-header", Csv, "csv"),
            (self.quote_all, "quote-all", Csv, "csv"),
            (self.null_text.is_some(), "null-text", Csv, "csv"),
            (self.crlf, "crlf", Csv, "csv"),
            (self.neutralize_formulas, "neutralize-formulas", Csv, "csv"),
            (self.table.is_some(), "table", Sql, "sql"),
            (self.insert_rows.is_some(), "insert-rows", Sql, "sql"),
            (self.sheet_rows.is_some(), "sheet-rows", Xlsx, "xlsx"),
        ];
        match given.into_iter().find(|(is_given, _, of, _)| *is_given && *of != document) {
            Some((_, option, _, of)) => {
                Err(Failure::usage(format!("`--{option}` is an option of `--format {of}`")))
            }
            None => Ok(()),
        }
    }

    /// Refuses all options: a table for eyes has none.
    pub(crate) fn refuse_all(&self) -> Result<(), Failure> {
        // The one format without options.
        self.refuse_others(DocumentArg::Arrow)
    }
}

fn one_character(text: &str) -> Result<char, String> {
    let mut characters = text.chars();
    match (text, characters.next(), characters.next()) {
        ("\\t", ..) => Ok('\t'),
        (_, Some(character), None) => Ok(character),
        _ => Err("give one character".to_owned()),
    }
}

/// Names between dots; one in double quotes, twice for one inside, may have dots.
fn table(text: &str) -> Result<TableArg, String> {
    let form = || "give a name such as `orders`, `shop.orders` or `\"a.b\".orders`".to_owned();
    let (mut names, mut rest) = (Vec::new(), text);
    loop {
        let (name, behind) = match rest.strip_prefix('"') {
            Some(inside) => quoted_name(inside).ok_or_else(form)?,
            None => {
                let (name, behind) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
                (name.to_owned(), behind)
            }
        };
        if name.is_empty() || (!rest.starts_with('"') && name.contains('"')) {
            return Err(form());
        }
        names.push(name);
        match behind.strip_prefix('.') {
            Some(next) => rest = next,
            None if behind.is_empty() => return Ok(TableArg(names)),
            None => return Err(form()),
        }
    }
}

/// A name up to its closing quote, and what stands behind that.
fn quoted_name(mut rest: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    loop {
        let (inside, behind) = rest.split_once('"')?;
        name.push_str(inside);
        match behind.strip_prefix('"') {
            Some(next) => {
                name.push('"');
                rest = next;
            }
            None => return Some((name, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_file_says_its_format() {
        let check = |path: &str, document| {
            assert_eq!(FormatArg::by_ending(Path::new(path)), FormatArg::Document(document));
        };
        check("out.csv", DocumentArg::Csv);
        check("out.JSON", DocumentArg::Json);
        check("dir.json/out", DocumentArg::Csv);
        check("out.jsonl", DocumentArg::Ndjson);
        check("out.arrow", DocumentArg::Arrow);
        check("out.parquet", DocumentArg::Parquet);
        check("out.xlsx", DocumentArg::Xlsx);
        check("out.sql", DocumentArg::Sql);
        check("README.md", DocumentArg::Markdown);
        check("/dev/null", DocumentArg::Csv);
        assert_eq!(FormatArg::by_ending(Path::new("out.txt")), FormatArg::Table);
    }

    #[test]
    fn every_format_is_offered_once() {
        let names = FormatArg::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let names: Vec<_> = names.map(|value| value.get_name().to_owned()).collect();
        assert_eq!(names.len(), DocumentArg::value_variants().len() + 1, "{names:?}");
        assert_eq!(names[..3], ["table", "csv", "tsv"]);
    }

    #[test]
    fn an_option_of_another_format_is_refused() {
        let args = DocumentArgs { no_header: true, ..DocumentArgs::default() };
        assert!(args.format(DocumentArg::Csv).is_ok());
        let failure = args.format(DocumentArg::Json).unwrap_err();
        assert_eq!(failure.message, "`--no-header` is an option of `--format csv`");
        assert!(args.refuse_all().is_err());
        let failure = DocumentArgs::default().format(DocumentArg::Sql).unwrap_err();
        assert_eq!(failure.message, "INSERT statements need a table");
    }

    #[test]
    fn a_table_has_its_schema_before_it() {
        let check = |text: &str, names: &[&str]| assert_eq!(table(text).unwrap().0, names, "{text}");
        check("orders", &["orders"]);
        check("shop.orders", &["shop", "orders"]);
        check("\"a.b\".c", &["a.b", "c"]);
        check("\"a\"\"b\"", &["a\"b"]);
        check("a b", &["a b"]);
        for text in ["", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "a\"b\"", "\"\""] {
            assert!(table(text).is_err(), "{text}");
        }
    }
}
