//! Views, statistics and exports of kept results: what is wanted, and how it stands.

use prost::Message as _;
use querybox_contracts::core::v1 as pb;
use querybox_core::{ExportPart, Place, StatisticsPart, ViewAsk, ViewFacts, ViewOrder, ViewState};
use querybox_results::{
    Backslashes, ByteLiterals, Case, Comparison, Condition, CsvOptions, Direction, Distinct, ExportFormat,
    Exported, Formulas, InsertOptions, LineEnd, Nulls, Quoting, SortColumn, Statistics, Test,
};

use super::InvalidField;
use crate::status::Refused;

/// Conditions within conditions: more is made to fill the stack.
const DEPTH_MAX: usize = 32;
/// Conditions in all.
const CONDITIONS_MAX: usize = 1000;
const SORT_COLUMNS_MAX: usize = 64;
/// Rows of an INSERT when the request does not say.
const INSERT_ROWS_USUAL: u32 = 100;

pub(crate) fn view_ask(
    statement: u32,
    of_view: u32,
    kind: Option<pb::ViewKind>,
) -> Result<ViewAsk, InvalidField> {
    use pb::view_kind::Kind;

    let kind = kind.unwrap_or_default();
    let description = kind.encode_to_vec();
    let order = match kind.kind {
        None => return Err(InvalidField::missing("kind")),
        Some(Kind::Sort(sort)) => {
            if sort.columns.is_empty() || sort.columns.len() > SORT_COLUMNS_MAX {
                let problem = format!("has none, or more than {SORT_COLUMNS_MAX}");
                return Err(InvalidField::new("kind.sort.columns", problem));
            }
            ViewOrder::Sort(sort.columns.into_iter().map(sort_column).collect())
        }
        Some(Kind::Distinct(distinct)) => ViewOrder::Distinct {
            columns: distinct.columns,
            template: SortColumn {
                column: 0,
                direction: Direction::Ascending,
                nulls: Nulls::Last,
                case: case(distinct.ignore_case),
            },
        },
        Some(Kind::Filter(filter)) => ViewOrder::Filter(condition(filter, DEPTH_MAX, &mut 0)?),
        Some(Kind::Search(search)) => {
            ViewOrder::Search { columns: search.columns, text: search.text, case: case(!search.match_case) }
        }
    };
    Ok(ViewAsk { of: Place { statement, view: of_view }, order, description })
}

fn sort_column(column: pb::SortColumn) -> SortColumn {
    SortColumn {
        column: column.column as usize,
        direction: if column.descending { Direction::Descending } else { Direction::Ascending },
        nulls: if column.nulls_first { Nulls::First } else { Nulls::Last },
        case: case(column.ignore_case),
    }
}

fn case(is_ignored: bool) -> Case {
    if is_ignored { Case::Ignored } else { Case::Counts }
}

fn condition(message: pb::Condition, depth: usize, count: &mut usize) -> Result<Condition, InvalidField> {
    use pb::condition::Condition as Message;

    *count += 1;
    let Some(depth) = depth.checked_sub(1).filter(|_| *count <= CONDITIONS_MAX) else {
        let problem = format!("is deeper than {DEPTH_MAX}, or has more than {CONDITIONS_MAX} conditions");
        return Err(InvalidField::new("kind.filter", problem));
    };
    let mut each = |conditions: pb::Conditions| {
        conditions.conditions.into_iter().map(|one| condition(one, depth, count)).collect::<Result<_, _>>()
    };
    Ok(match message.condition {
        None => return Err(InvalidField::missing("kind.filter.condition")),
        Some(Message::All(conditions)) => Condition::All(each(conditions)?),
        Some(Message::Any(conditions)) => Condition::Any(each(conditions)?),
        Some(Message::Not(not)) => Condition::Not(Box::new(condition(*not, depth, count)?)),
        Some(Message::Cell(cell)) => {
            let (column, test) = cell_test(cell)?;
            Condition::Cell { column, test }
        }
    })
}

fn cell_test(message: pb::CellTest) -> Result<(usize, Test), InvalidField> {
    use pb::cell_test::Test as Message;

    let case = case(message.ignore_case);
    let test = match message.test {
        None => return Err(InvalidField::missing("kind.filter.test")),
        Some(Message::IsNull(pb::IsNull {})) => Test::IsNull,
        Some(Message::Compare(compare)) => {
            let comparison = match compare.comparison() {
                pb::Comparison::Unspecified => {
                    return Err(InvalidField::missing("kind.filter.comparison"));
                }
                pb::Comparison::Equal => Comparison::Equal,
                pb::Comparison::NotEqual => Comparison::NotEqual,
                pb::Comparison::Less => Comparison::Less,
                pb::Comparison::LessOrEqual => Comparison::LessOrEqual,
                pb::Comparison::Greater => Comparison::Greater,
                pb::Comparison::GreaterOrEqual => Comparison::GreaterOrEqual,
            };
            Test::Compares { comparison, value: compare.value, case }
        }
        Some(Message::Contains(text)) => Test::Contains { text, case },
        Some(Message::Matches(pattern)) => Test::Matches { pattern, case },
    };
    Ok((message.column as usize, test))
}

pub(crate) fn view_message(view: ViewFacts) -> pb::View {
    let (state, row_count, failure) = match view.state {
        ViewState::Making => (pb::ViewState::Making, 0, None),
        ViewState::Ready { rows } => (pb::ViewState::Ready, rows, None),
        ViewState::Failed(error) => {
            let (reason, message) = Refused::of_view(&error).told();
            (pb::ViewState::Failed, 0, Some(pb::ResultFailure { reason, message, session_open: false }))
        }
    };
    pb::View {
        view: view.number,
        of_view: view.of.view,
        // As it came.
        kind: pb::ViewKind::decode(&view.description[..]).ok(),
        state: state.into(),
        row_count,
        source_row_count: view.source_rows,
        steps_done: view.done,
        steps_all: view.all,
        failure,
        statement: view.of.statement,
    }
}

pub(crate) fn statistics_message(part: StatisticsPart) -> pb::GetStatisticsResponse {
    use pb::get_statistics_response::Part;

    let part = match part {
        StatisticsPart::Progress(progress) => {
            Part::Progress(pb::StatisticsProgress { rows_done: progress.done, rows_all: progress.all })
        }
        StatisticsPart::Done(statistics) => Part::Statistics(found_message(*statistics)),
    };
    pb::GetStatisticsResponse { part: Some(part) }
}

fn found_message(found: Statistics) -> pb::Statistics {
    let (distinct, distinct_is_estimate) = match found.distinct {
        Distinct::Exact(count) => (count, false),
        Distinct::About(count) => (count, true),
    };
    pb::Statistics {
        rows: found.rows,
        nulls: found.nulls,
        cut: found.cut,
        distinct,
        distinct_is_estimate,
        least: found.least,
        greatest: found.greatest,
        numbers: found.numbers.map(|numbers| pb::NumberStatistics {
            count: numbers.count,
            not_finite: numbers.not_finite,
            sum: numbers.sum,
            mean: numbers.mean,
        }),
        histogram: found
            .histogram
            .into_iter()
            .map(|bar| pb::HistogramBar { from: bar.from, to: bar.to, count: bar.count })
            .collect(),
    }
}

/// The format of an export. `None`: the request names none.
pub(crate) fn export_format(format: Option<pb::export_order::Format>) -> Result<ExportFormat, InvalidField> {
    use pb::export_order::Format;

    Ok(match format {
        None => return Err(InvalidField::missing("order.format")),
        Some(Format::Csv(csv)) => ExportFormat::Csv(csv_options(csv)?),
        Some(Format::Tsv(pb::TsvFormat {})) => ExportFormat::Tsv,
        Some(Format::Json(pb::JsonFormat {})) => ExportFormat::Json,
        Some(Format::Ndjson(pb::NdjsonFormat {})) => ExportFormat::NdJson,
        Some(Format::Markdown(pb::MarkdownFormat {})) => ExportFormat::Markdown,
        Some(Format::SqlInsert(insert)) => ExportFormat::Insert(insert_options(insert)?),
        Some(Format::Xlsx(pb::XlsxFormat {})) => ExportFormat::Xlsx,
        Some(Format::Parquet(pb::ParquetFormat {})) => ExportFormat::Parquet,
        Some(Format::Arrow(pb::ArrowFormat {})) => ExportFormat::Arrow,
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

fn insert_options(message: pb::SqlInsertFormat) -> Result<InsertOptions, InvalidField> {
    if message.table.is_empty() {
        return Err(InvalidField::missing("order.sql_insert.table"));
    }
    let quote = one_character(&message.identifier_quote, "order.sql_insert.identifier_quote")?.unwrap_or('"');
    Ok(InsertOptions {
        table: message.table.clone(),
        identifier_quote: quote,
        backslashes: if message.backslash_escapes { Backslashes::Escape } else { Backslashes::Plain },
        bytes: match message.byte_literals() {
            pb::ByteLiterals::Unspecified | pb::ByteLiterals::Standard => ByteLiterals::Standard,
            pb::ByteLiterals::Postgres => ByteLiterals::Postgres,
            pb::ByteLiterals::Number => ByteLiterals::Number,
        },
        statement_rows: if message.rows_per_statement == 0 {
            INSERT_ROWS_USUAL
        } else {
            message.rows_per_statement
        },
    })
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
        ExportPart::Done(done) => Part::Done(done_message(&done)),
    };
    pb::ExportResponse { part: Some(part) }
}

fn done_message(done: &Exported) -> pb::ExportDone {
    pb::ExportDone {
        rows: done.rows,
        bytes: done.bytes,
        cells_cut: done.cells_cut,
        cells_undecodable: done.cells_undecodable,
        cells_left_out: done.cells_left_out,
        cells_shortened: done.cells_shortened,
    }
}
