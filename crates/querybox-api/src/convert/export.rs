//! Exports: how they are to be written, and how they come along.

use querybox_contracts::{
    core::v1::{self as pb, export_order::Format},
    plugin::v1 as plugin,
};
use querybox_core::ExportPart;
use querybox_results::{
    Backslashes, ByteLiterals, CsvOptions, ExportFormat, Exported, Formulas, InsertOptions, LineEnd, Quoting,
    XlsxOptions,
};

use super::InvalidField;

/// Rows of an INSERT when the request does not say.
const INSERT_ROWS_USUAL: u32 = 100;

/// The format of an export.
///
/// # Errors
///
/// A field of it cannot be what it is.
pub fn read_export_format(format: Format, dialect: &plugin::Dialect) -> Result<ExportFormat, InvalidField> {
    Ok(match format {
        Format::Csv(csv) => ExportFormat::Csv(csv_options(csv)?),
        Format::Tsv(pb::TsvFormat {}) => ExportFormat::Tsv,
        Format::Json(pb::JsonFormat {}) => ExportFormat::Json,
        Format::Ndjson(pb::NdjsonFormat {}) => ExportFormat::NdJson,
        Format::Markdown(pb::MarkdownFormat {}) => ExportFormat::Markdown,
        Format::SqlInsert(insert) => ExportFormat::Insert(insert_options(insert, dialect)?),
        Format::Xlsx(xlsx) => ExportFormat::Xlsx(xlsx_options(xlsx)),
        Format::Parquet(pb::ParquetFormat {}) => ExportFormat::Parquet,
        Format::Arrow(pb::ArrowFormat {}) => ExportFormat::Arrow,
    })
}

fn csv_options(message: pb::CsvFormat) -> Result<CsvOptions, InvalidField> {
    let mut options = CsvOptions::postgres();
    options.delimiter =
        one_character(&message.delimiter, "order.csv.delimiter")?.unwrap_or(options.delimiter);
    options.header = !message.no_header;
    options.null = message.null_text;
    if message.quote_all {
        options.quoting = Quoting::Always;
    }
    if message.crlf {
        options.line_end = LineEnd::CrLf;
    }
    if message.neutralize_formulas {
        options.formulas = Formulas::Neutralized;
    }
    Ok(options)
}

fn insert_options(
    message: pb::SqlInsertFormat,
    dialect: &plugin::Dialect,
) -> Result<InsertOptions, InvalidField> {
    let pb::SqlInsertFormat { table, rows_per_statement } = message;
    if table.is_empty() {
        return Err(InvalidField::missing("order.sql_insert.table"));
    }
    let quote = dialect.identifier_quotes.first().and_then(|quote| quote.chars().next());
    let has_escapes = dialect.string_forms().any(|form| form == plugin::StringForm::BackslashEscapes);
    Ok(InsertOptions {
        table,
        identifier_quote: quote.unwrap_or('"'),
        backslashes: if has_escapes { Backslashes::Escape } else { Backslashes::Plain },
        bytes: match dialect.byte_literals() {
            plugin::ByteLiterals::Unspecified | plugin::ByteLiterals::Standard => ByteLiterals::Standard,
            plugin::ByteLiterals::Postgres => ByteLiterals::Postgres,
            plugin::ByteLiterals::Number => ByteLiterals::Number,
        },
        statement_rows: if rows_per_statement == 0 { INSERT_ROWS_USUAL } else { rows_per_statement },
    })
}

fn xlsx_options(message: pb::XlsxFormat) -> XlsxOptions {
    match message.sheet_rows_max {
        0 => XlsxOptions::excel(),
        sheet_rows_max => XlsxOptions { sheet_rows_max },
    }
}

fn one_character(text: &str, field: &'static str) -> Result<Option<char>, InvalidField> {
    let mut characters = text.chars();
    let first = characters.next();
    if characters.next().is_some() {
        return Err(InvalidField::new(field, "is more than one character"));
    }
    Ok(first)
}

pub(crate) fn export_message(part: ExportPart) -> pb::ExportResponse {
    use pb::export_response::Part;

    let part = match part {
        ExportPart::Data(data) => Part::Data(data),
        ExportPart::Progress(progress) => Part::Progress(pb::ExportProgress {
            rows_done: progress.rows,
            rows_all: progress.all.unwrap_or(progress.rows),
            bytes_done: progress.bytes,
        }),
        ExportPart::Done { exported, is_whole } => Part::Done(done_message(&exported, is_whole)),
    };
    pb::ExportResponse { part: Some(part) }
}

pub(crate) fn done_message(done: &Exported, is_whole: bool) -> pb::ExportDone {
    pb::ExportDone {
        rows: done.rows,
        bytes: done.bytes,
        cells_cut: done.cells_cut,
        cells_undecodable: done.cells_undecodable,
        cells_left_out: done.cells_left_out,
        cells_shortened: done.cells_shortened,
        incomplete: !is_whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_written_as_the_dialect_has_them() {
        let written = |quotes: &[&str], forms: &[plugin::StringForm], bytes: plugin::ByteLiterals| {
            let dialect = plugin::Dialect {
                identifier_quotes: quotes.iter().map(|&quote| quote.to_owned()).collect(),
                string_forms: forms.iter().map(|&form| form.into()).collect(),
                byte_literals: bytes.into(),
                ..plugin::Dialect::default()
            };
            let insert = pb::SqlInsertFormat { table: vec!["t".to_owned()], rows_per_statement: 0 };
            match read_export_format(Format::SqlInsert(insert), &dialect) {
                Ok(ExportFormat::Insert(options)) => {
                    assert_eq!(options.statement_rows, INSERT_ROWS_USUAL);
                    (options.identifier_quote, options.backslashes, options.bytes)
                }
                other => panic!("{other:?}"),
            }
        };
        let forms = [plugin::StringForm::EEscapes, plugin::StringForm::DollarQuotes];
        let postgres = written(&["\""], &forms, plugin::ByteLiterals::Postgres);
        assert_eq!(postgres, ('"', Backslashes::Plain, ByteLiterals::Postgres));
        let forms = [plugin::StringForm::BackslashEscapes];
        let mysql = written(&["`", "\""], &forms, plugin::ByteLiterals::Standard);
        assert_eq!(mysql, ('`', Backslashes::Escape, ByteLiterals::Standard));
        let unknown = written(&[], &[], plugin::ByteLiterals::Unspecified);
        assert_eq!(unknown, ('"', Backslashes::Plain, ByteLiterals::Standard));
    }

    #[test]
    fn what_no_document_can_be_written_with_is_refused() {
        let dialect = plugin::Dialect::default();
        let refused = |format| read_export_format(format, &dialect).unwrap_err().field;
        let csv = pb::CsvFormat { delimiter: "::".to_owned(), ..pb::CsvFormat::default() };
        assert_eq!(refused(Format::Csv(csv)), "order.csv.delimiter");
        assert_eq!(refused(Format::SqlInsert(pb::SqlInsertFormat::default())), "order.sql_insert.table");
    }
}
