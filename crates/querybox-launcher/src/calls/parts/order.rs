//! The order of parts, as the contract has it: for each statement Header, then any number of Batch, Notice, Progress and
//! ColumnFacts, then Summary or Rejection; a Notice may come before the Header, a Rejection may stand without one.

use querybox_contracts::plugin::v1::{self as pb, execute_response::Part as Wire};

use crate::calls::{
    error::BrokenContract,
    part::{Fact, Rejection, Summary},
};

/// Columns that a result may have: SQLite, which has the most, can be built for 32,767.
const COLUMNS_MAX: usize = 32_767;

/// Where the stream stands.
pub(super) struct PartOrder {
    state: State,
    /// Whether statements may ask for data.
    gives_copy_data: bool,
}

enum State {
    /// No statement is being answered; the next one has this number. Whether something was said about it already, and whether
    /// it asked for data.
    Between { next: u32, noticed: bool, asked: bool },
    /// A statement is being answered.
    Inside(Statement),
    /// The last word was said.
    Ended,
}

struct Statement {
    number: u32,
    returns_rows: bool,
    columns: usize,
    rows: u64,
}

impl PartOrder {
    pub(super) fn new(gives_copy_data: bool) -> Self {
        Self { state: State::Between { next: 0, noticed: false, asked: false }, gives_copy_data }
    }

    /// Takes the next part.
    pub(super) fn check(&mut self, part: &pb::ExecuteResponse) -> Result<Fact, BrokenContract> {
        let part = part.part.as_ref().ok_or_else(|| BrokenContract::new("a part without content"))?;
        match (&mut self.state, part) {
            (State::Ended, _) => broken("a part after the last one"),
            (State::Between { asked: true, .. }, Wire::Header(header)) if header.returns_rows => {
                broken("rows of a statement that asked for data")
            }
            (State::Between { next, .. }, Wire::Header(header)) => {
                let statement = Statement::begin(header, *next)?;
                let fact = Fact::Header {
                    statement: statement.number,
                    returns_rows: statement.returns_rows,
                    columns: statement.columns,
                };
                self.state = State::Inside(statement);
                Ok(fact)
            }
            (State::Between { next, noticed, .. }, Wire::Notice(notice)) => {
                expect_statement(notice.statement, *next)?;
                *noticed = true;
                Ok(Fact::Notice)
            }
            (State::Between { next, noticed, asked }, Wire::CopyIn(copy_in)) => {
                expect_statement(copy_in.statement, *next)?;
                if !self.gives_copy_data {
                    return broken("a question for data that nobody gives");
                }
                if *asked {
                    return broken("a second question for data");
                }
                (*noticed, *asked) = (true, true);
                Ok(Fact::CopyIn { statement: copy_in.statement })
            }
            (State::Inside(_), Wire::CopyIn(_)) => broken("a question for data inside a statement"),
            (State::Between { next, noticed, .. }, Wire::Rejection(rejection)) => {
                if rejection.rolled_back_at_end {
                    if *noticed {
                        return broken("the roll-back at the end inside a statement");
                    }
                    // It bears the number of the statement before.
                    if rejection.statement.checked_add(1) != Some(*next) {
                        return broken("the roll-back at the end names another statement than the last");
                    }
                    self.state = State::Ended;
                } else {
                    expect_statement(rejection.statement, *next)?;
                    self.state = after(*next)?;
                }
                Ok(Fact::Rejection(Rejection::from(rejection.clone())))
            }
            (State::Between { .. }, other) => broken(format!("a {} outside of a statement", name(other))),
            (State::Inside(_), Wire::Header(_)) => broken("a header inside a statement"),
            (State::Inside(statement), Wire::Batch(batch)) => statement.take(batch),
            (State::Inside(statement), Wire::Notice(notice)) => {
                expect_statement(notice.statement, statement.number)?;
                Ok(Fact::Notice)
            }
            (State::Inside(statement), Wire::Progress(progress)) => {
                expect_statement(progress.statement, statement.number)?;
                Ok(Fact::Progress)
            }
            (State::Inside(statement), Wire::ColumnFacts(facts)) => {
                if facts.columns.iter().any(|fact| fact.column as usize >= statement.columns) {
                    return broken("facts of a column that the statement does not have");
                }
                Ok(Fact::ColumnFacts)
            }
            (State::Inside(statement), Wire::Summary(summary)) => {
                expect_statement(summary.statement, statement.number)?;
                if summary.rows != statement.rows {
                    let (sent, said) = (statement.rows, summary.rows);
                    return broken(format!("a summary of {said} rows after {sent} rows"));
                }
                self.state = after(statement.number)?;
                Ok(Fact::Summary(Summary::from(summary)))
            }
            (State::Inside(statement), Wire::Rejection(rejection)) => {
                expect_statement(rejection.statement, statement.number)?;
                if rejection.rolled_back_at_end {
                    return broken("the roll-back at the end inside a statement");
                }
                self.state = after(statement.number)?;
                Ok(Fact::Rejection(Rejection::from(rejection.clone())))
            }
        }
    }

    /// The stream ended.
    pub(super) fn finish(&self) -> Result<(), BrokenContract> {
        match &self.state {
            State::Between { noticed: false, .. } | State::Ended => Ok(()),
            State::Between { next, noticed: true, .. } => {
                broken(format!("the parts end after a notice of statement {next}"))
            }
            State::Inside(statement) => {
                broken(format!("the parts end inside statement {}", statement.number))
            }
        }
    }
}

impl Statement {
    fn begin(header: &pb::Header, next: u32) -> Result<Self, BrokenContract> {
        expect_statement(header.statement, next)?;
        let columns = header.columns.len();
        if columns > COLUMNS_MAX {
            return broken(format!("a result of {columns} columns"));
        }
        if header.returns_rows == header.arrow_schema.is_empty() {
            return broken("a header whose schema does not fit what it returns");
        }
        if !header.returns_rows && columns > 0 {
            return broken("columns of a statement that returns no rows");
        }
        // An unknown number reads as UNSPECIFIED too.
        if header.columns.iter().any(|column| column.display() == pb::Display::Unspecified) {
            return broken("a column without a display");
        }
        if header.span.is_some_and(|span| span.start_byte > span.end_byte) {
            return broken("a statement that ends before it starts");
        }
        Ok(Self { number: header.statement, returns_rows: header.returns_rows, columns, rows: 0 })
    }

    fn take(&mut self, batch: &pb::Batch) -> Result<Fact, BrokenContract> {
        if !self.returns_rows {
            return broken("a batch of a statement that returns no rows");
        }
        if batch.row_count == 0 {
            return broken("a batch of no rows");
        }
        let within =
            |note: &pb::CellNote| note.row < batch.row_count && (note.column as usize) < self.columns;
        if !batch.notes.iter().all(within) {
            return broken("a note of a cell that the batch does not have");
        }
        if !batch.notes.is_sorted_by_key(|note| (note.row, note.column)) {
            return broken("notes out of order");
        }
        if batch.notes.windows(2).any(|pair| (pair[0].row, pair[0].column) == (pair[1].row, pair[1].column)) {
            return broken("two notes of one cell");
        }
        self.rows = self.rows.saturating_add(u64::from(batch.row_count));
        let bytes = (batch.arrow_metadata.len() + batch.arrow_body.len()) as u64;
        Ok(Fact::Batch { rows: batch.row_count, bytes })
    }
}

fn after(number: u32) -> Result<State, BrokenContract> {
    let next =
        number.checked_add(1).ok_or_else(|| BrokenContract::new("more statements than can be counted"))?;
    Ok(State::Between { next, noticed: false, asked: false })
}

fn expect_statement(found: u32, expected: u32) -> Result<(), BrokenContract> {
    if found == expected { Ok(()) } else { broken(format!("statement {found} where {expected} is due")) }
}

fn name(part: &Wire) -> &'static str {
    match part {
        Wire::Header(_) => "header",
        Wire::Batch(_) => "batch",
        Wire::Notice(_) => "notice",
        Wire::Progress(_) => "progress",
        Wire::ColumnFacts(_) => "fact of a column",
        Wire::Summary(_) => "summary",
        Wire::Rejection(_) => "rejection",
        Wire::CopyIn(_) => "question for data",
    }
}

fn broken<T>(what: impl Into<std::borrow::Cow<'static, str>>) -> Result<T, BrokenContract> {
    Err(BrokenContract::new(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(statement: u32, columns: usize) -> Wire {
        let column = pb::Column { display: pb::Display::Text.into(), ..pb::Column::default() };
        Wire::Header(pb::Header {
            statement,
            returns_rows: columns > 0,
            arrow_schema: if columns > 0 { "schema".into() } else { "".into() },
            columns: vec![column; columns],
            span: None,
        })
    }

    fn batch(row_count: u32, notes: &[(u32, u32)]) -> Wire {
        let notes =
            notes.iter().map(|&(row, column)| pb::CellNote { row, column, ..pb::CellNote::default() });
        Wire::Batch(pb::Batch { row_count, notes: notes.collect(), ..pb::Batch::default() })
    }

    fn summary(statement: u32, rows: u64) -> Wire {
        Wire::Summary(pb::Summary { statement, rows, ..pb::Summary::default() })
    }

    fn rejection(statement: u32, rolled_back_at_end: bool) -> Wire {
        Wire::Rejection(pb::Rejection { statement, rolled_back_at_end, ..pb::Rejection::default() })
    }

    fn notice(statement: u32) -> Wire {
        Wire::Notice(pb::Notice { statement, ..pb::Notice::default() })
    }

    fn run(parts: Vec<Wire>) -> Result<(), BrokenContract> {
        let mut order = PartOrder::new(true);
        for part in parts {
            order.check(&pb::ExecuteResponse { part: Some(part) })?;
        }
        order.finish()
    }

    #[track_caller]
    fn check(parts: Vec<Wire>) {
        run(parts).unwrap();
    }

    #[track_caller]
    fn check_broken(parts: Vec<Wire>, what: &str) {
        assert_eq!(run(parts).unwrap_err().what, what);
    }

    #[test]
    fn what_the_contract_allows_is_taken() {
        check(vec![]);
        check(vec![header(0, 0), summary(0, 0)]);
        check(vec![header(0, 2), batch(3, &[(0, 1), (2, 0)]), notice(0), batch(1, &[]), summary(0, 4)]);
        check(vec![rejection(0, false), header(1, 1), batch(1, &[]), rejection(1, false)]);
        check(vec![header(0, 0), summary(0, 0), rejection(0, true)]);
        check(vec![notice(0), header(0, 0), summary(0, 0), notice(1), rejection(1, false)]);
    }

    #[test]
    fn statements_are_numbered_without_gaps() {
        check_broken(vec![header(1, 0)], "statement 1 where 0 is due");
        check_broken(vec![header(0, 0), summary(0, 0), header(0, 0)], "statement 0 where 1 is due");
        check_broken(vec![header(0, 0), notice(7)], "statement 7 where 0 is due");
        check_broken(vec![header(0, 0), summary(1, 0)], "statement 1 where 0 is due");
    }

    #[test]
    fn rows_add_up() {
        check_broken(vec![header(0, 1), batch(2, &[]), summary(0, 3)], "a summary of 3 rows after 2 rows");
        check_broken(vec![header(0, 1), batch(0, &[])], "a batch of no rows");
        check_broken(vec![header(0, 0), batch(1, &[])], "a batch of a statement that returns no rows");
    }

    #[test]
    fn notes_belong_to_cells_of_their_batch_one_each_in_order() {
        check_broken(
            vec![header(0, 1), batch(1, &[(1, 0)])],
            "a note of a cell that the batch does not have",
        );
        check_broken(
            vec![header(0, 1), batch(1, &[(0, 1)])],
            "a note of a cell that the batch does not have",
        );
        check_broken(vec![header(0, 1), batch(2, &[(1, 0), (0, 0)])], "notes out of order");
        check_broken(vec![header(0, 1), batch(1, &[(0, 0), (0, 0)])], "two notes of one cell");
    }

    #[test]
    fn nothing_comes_outside_of_a_statement_or_after_the_end() {
        check_broken(vec![batch(1, &[])], "a batch outside of a statement");
        check_broken(vec![summary(0, 0)], "a summary outside of a statement");
        check_broken(vec![header(0, 0), header(1, 0)], "a header inside a statement");
        check_broken(vec![header(0, 0)], "the parts end inside statement 0");
        check_broken(vec![notice(0)], "the parts end after a notice of statement 0");
        check_broken(vec![notice(1)], "statement 1 where 0 is due");
        let ended = vec![header(0, 0), summary(0, 0), rejection(0, true), header(1, 0)];
        check_broken(ended, "a part after the last one");
        check_broken(
            vec![rejection(0, true)],
            "the roll-back at the end names another statement than the last",
        );
    }

    #[test]
    fn data_is_asked_for_once_before_the_header_of_a_statement_without_rows() {
        let copy_in = |statement| {
            Wire::CopyIn(pb::CopyIn { statement, format: pb::CopyFormat::Text.into(), columns: 1 })
        };
        check(vec![notice(0), copy_in(0), header(0, 0), summary(0, 0), copy_in(1), rejection(1, false)]);
        check_broken(vec![copy_in(0), copy_in(0)], "a second question for data");
        check_broken(vec![copy_in(1)], "statement 1 where 0 is due");
        check_broken(vec![header(0, 0), copy_in(0)], "a question for data inside a statement");
        check_broken(vec![copy_in(0), header(0, 1)], "rows of a statement that asked for data");
        let part = Some(copy_in(0));
        let error = PartOrder::new(false).check(&pb::ExecuteResponse { part }).unwrap_err();
        assert_eq!(error.what, "a question for data that nobody gives");
    }

    #[test]
    fn a_header_fits_itself() {
        let mut display_missing = header(0, 1);
        if let Wire::Header(header) = &mut display_missing {
            header.columns[0].display = 999;
        }
        check_broken(vec![display_missing], "a column without a display");
        let mut schema_missing = header(0, 1);
        if let Wire::Header(header) = &mut schema_missing {
            header.arrow_schema.clear();
        }
        check_broken(vec![schema_missing], "a header whose schema does not fit what it returns");
    }

    #[test]
    fn a_part_without_content_is_refused() {
        let error = PartOrder::new(true).check(&pb::ExecuteResponse { part: None }).unwrap_err();
        assert_eq!(error.what, "a part without content");
    }
}
