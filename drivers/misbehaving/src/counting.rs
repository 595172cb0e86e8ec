//! The statements of the driver that behaves, parted by semicolons.
//!
//! `count N`, `count N every MS`, `forever`, `nothing` (no columns), `wide N`, `twins` (two columns of one name), `huge N` (a
//! cell of N bytes), `notice` (before its header).

use std::{ops::Range, time::Duration};

use querybox_plugin::{
    Column, ColumnKind, Done, ExecuteError, OnError, Query, Results, Rows, Statement, TextKind, pb,
};
use tokio::{sync::Notify, time::sleep};

/// Runs a script until it ends, is refused or is cancelled.
pub(crate) async fn run(
    query: &Query,
    cancelled: &Notify,
    results: &mut Results,
) -> Result<(), ExecuteError> {
    let mut at = 0;
    for text in query.sql.split(';') {
        let range = trim(at, text);
        at += text.len() + 1;
        if range.is_empty() {
            continue;
        }
        let words: Vec<_> = query.sql[range.clone()].split_whitespace().collect();
        let statement = results.statement(range);
        let Some(plan) = Plan::parse(&words) else {
            statement.rejected(refusal("42601", format!("{:?} is not a statement", words.join(" ")))).await?;
            match query.on_error {
                OnError::Stop => return Ok(()),
                OnError::Continue => continue,
            }
        };
        answer(&plan, statement, query, cancelled).await?;
        if query.cancelled.is_cancelled() {
            return Ok(());
        }
    }
    Ok(())
}

/// The database's refusal.
pub(crate) fn refusal(sqlstate: &str, message: impl Into<String>) -> pb::Rejection {
    pb::Rejection {
        sqlstate: sqlstate.to_owned(),
        severity: "ERROR".to_owned(),
        message: message.into(),
        position_byte: Some(0),
        ..pb::Rejection::default()
    }
}

/// The one column that most answers have.
pub(crate) fn number() -> Column {
    column("n", ColumnKind::Int64)
}

/// Tells one row of one number, and sends it.
pub(crate) async fn tell(rows: &mut Rows<'_>, number: i64) -> Result<(), ExecuteError> {
    if rows.begin_row() {
        rows.int(number);
        // Sent in any case.
        let _ = rows.end_row();
    }
    rows.flush().await
}

pub(crate) fn done(command_tag: &str) -> Done {
    Done {
        affected_rows: None,
        command_tag: command_tag.to_owned(),
        transaction_state: pb::TransactionState::Unspecified,
    }
}

/// What a statement answers with.
struct Plan {
    columns: Vec<Column>,
    rows: u64,
    /// Between two rows.
    pause: Option<Duration>,
    /// Bytes of the cell of a text column.
    text_bytes: usize,
    notice: bool,
}

impl Plan {
    fn parse(words: &[&str]) -> Option<Self> {
        let plan = |columns, rows| Self { columns, rows, pause: None, text_bytes: 0, notice: false };
        Some(match words {
            ["count", rows] => plan(vec![number()], rows.parse().ok()?),
            ["count", rows, "every", pause_ms] => Self {
                pause: Some(Duration::from_millis(pause_ms.parse().ok()?)),
                ..plan(vec![number()], rows.parse().ok()?)
            },
            ["forever"] => plan(vec![number()], u64::MAX),
            ["nothing"] => plan(Vec::new(), 1),
            ["wide", columns] => plan(vec![number(); columns.parse().ok()?], 1),
            ["twins"] => plan(vec![number(), number()], 1),
            ["huge", bytes] => Self {
                text_bytes: bytes.parse().ok()?,
                ..plan(vec![column("text", ColumnKind::Text(TextKind::Text))], 1)
            },
            ["notice"] => Self { notice: true, ..plan(vec![number()], 1) },
            _ => return None,
        })
    }
}

async fn answer(
    plan: &Plan,
    statement: Statement<'_>,
    query: &Query,
    cancelled: &Notify,
) -> Result<(), ExecuteError> {
    if plan.notice {
        let message = "about to count".to_owned();
        statement
            .notice(pb::Notice { severity: "NOTICE".to_owned(), message, ..pb::Notice::default() })
            .await?;
    }
    let mut rows = statement.rows(&plan.columns).await?;
    for number in 0..plan.rows {
        if query.cancelled.is_cancelled() {
            return rows.rejected(refusal("57014", "cancelled")).await;
        }
        if !rows.begin_row() {
            break;
        }
        for column in &plan.columns {
            match column.kind {
                ColumnKind::Text(_) => rows.text(&"x".repeat(plan.text_bytes)),
                _ => rows.int(i64::try_from(number).unwrap_or(i64::MAX)),
            }
        }
        if rows.end_row() {
            rows.flush().await?;
        }
        if let Some(pause) = plan.pause {
            rows.flush().await?;
            tokio::select! {
                () = sleep(pause) => {}
                () = cancelled.notified() => {}
            }
        }
    }
    rows.finish(done("COUNT")).await
}

fn column(name: &str, kind: ColumnKind) -> Column {
    Column { name: name.to_owned(), database_type: String::new(), kind, origin_id: String::new() }
}

/// Where the text stands in the script without the space around it.
fn trim(at: usize, text: &str) -> Range<usize> {
    let start = at + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}

#[cfg(test)]
mod tests {
    use querybox_plugin::testkit::{Cases, check};

    use crate::driver::Misbehaving;

    #[tokio::test]
    async fn without_a_wish_it_is_a_driver_like_any_other() {
        let cases = Cases {
            parameters: Vec::new(),
            secrets: Vec::new(),
            one_row: "count 1",
            syntax_error: "recount 1",
            empty_result: "count 0",
            zero_columns: Some("nothing"),
            duplicate_names: "twins",
            wide_row: ("wide 2000".to_owned(), 2000),
            huge_cell: ("huge 20000001", 20_000_001),
            noted_cell: None,
            endless: "forever",
        };
        check(|| Misbehaving { wish: None }, &cases).await;
    }
}
