//! Views and statistics of kept results: what is wanted, and how it stands.

use prost::Message as _;
use querybox_contracts::core::v1 as pb;
use querybox_core::{Place, StatisticsPart, ViewAsk, ViewFacts, ViewOrder, ViewState};
use querybox_results::{
    Case, Comparison, Condition, Direction, Distinct, Nulls, SortColumn, Statistics, Test,
};

use super::InvalidField;
use crate::status::Refused;

/// Conditions within conditions: more is made to fill the stack.
const DEPTH_MAX: usize = 32;
/// Conditions in all.
const CONDITIONS_MAX: usize = 1000;
const SORT_COLUMNS_MAX: usize = 64;
/// What a view is, which is kept as long as the view is, and told with each word of it.
const KIND_BYTES_MAX: usize = 64 << 10;

pub(crate) fn view_ask(
    statement: u32,
    of_view: u32,
    kind: Option<pb::ViewKind>,
) -> Result<ViewAsk, InvalidField> {
    use pb::view_kind::Kind;

    let kind = kind.unwrap_or_default();
    let description = kind.encode_to_vec();
    if description.len() > KIND_BYTES_MAX {
        let problem = format!(
            "is too long: its values, texts and patterns have {} KiB at most together",
            KIND_BYTES_MAX >> 10
        );
        return Err(InvalidField::new("kind", problem).called("the view"));
    }
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
        incomplete: !view.is_whole,
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
