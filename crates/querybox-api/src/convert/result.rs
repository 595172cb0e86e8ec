//! Kept results: what is asked of them, and how they stand.

use querybox_contracts::{
    core::v1 as pb,
    plugin::v1::{self as plugin, execute_response::Part as Message},
};
use querybox_core::{
    BrokenContract, CellState, DropCause, KeepLimit, Part, RawBatch, Reading, ResultFacts, ResultSummary,
    RowsRead, RunFailure, RunPlace, RunProgress, RunRequest, RunState, SessionError, SessionId, Shape,
    StatementFacts, StatementFailure, StatementState, Target, local_user,
};

use super::{
    InvalidField, execute_options, execute_options_in_lease, front_end, key, opened_message,
    rejection_message, secrets,
    session::transaction_state,
    session_id,
    time::{span, timestamp},
    unsaved,
    view::view_message,
};
use crate::{
    rows::{display_message, read_batch, read_header},
    status::Refused,
};

/// Bytes of a cell's text in a window when the request does not say.
const CELL_BYTES_USUAL: u32 = 1024;
const CELL_BYTES_MAX: u32 = 1 << 20;
const ROWS_MAX: u32 = 10_000;

pub(crate) fn result_id(text: &str) -> Result<SessionId, Refused> {
    text.parse().map_err(Refused::result_id)
}

pub(crate) fn run_request(message: pb::RunRequest) -> Result<RunRequest, Refused> {
    use pb::run_request::Target as Message;

    let pb::RunRequest { result_id: id, target, credential, sql, options, front_end_id, page: _ } = message;
    let secrets = secrets(credential);
    let place = match target {
        None => return Err(InvalidField::missing("target").into()),
        Some(Message::Connection(connection)) => {
            RunPlace::Own { target: Target::Saved(key(Some(connection))?), secrets }
        }
        Some(Message::Unsaved(spec)) => {
            RunPlace::Own { target: Target::Unsaved(Box::new(unsaved(spec)?)), secrets }
        }
        Some(Message::SessionId(session)) => RunPlace::Leased(session_id(&session)?),
    };
    let options = match place {
        RunPlace::Leased(_) => execute_options_in_lease(options)?,
        RunPlace::Own { .. } => execute_options(options)?,
    };
    if options.gives_copy_data {
        let problem = "is not for results that are kept: nobody could tell when data is asked for";
        return Err(InvalidField::new("options.gives_copy_data", problem).into());
    }
    Ok(RunRequest {
        id: result_id(&id)?,
        owner: local_user(),
        place,
        sql,
        options,
        front_end: front_end(&front_end_id)?,
        reading: Reading { shape, batch, failure },
    })
}

fn shape(part: &Part) -> Result<Shape, BrokenContract> {
    match &part.wire.part {
        Some(Message::Header(header)) => read_header(header),
        _ => Err(BrokenContract { what: "a header was expected".into() }),
    }
}

fn batch(part: Part) -> Result<RawBatch, BrokenContract> {
    match part.wire.part {
        Some(Message::Batch(batch)) => read_batch(batch),
        _ => Err(BrokenContract { what: "a batch was expected".into() }),
    }
}

fn failure(error: SessionError) -> RunFailure {
    let (reason, message) = Refused::from(error).told();
    RunFailure { reason, message }
}

/// Bytes of a cell's text.
pub(crate) fn cell_bytes(asked: u32) -> Result<usize, InvalidField> {
    match asked {
        0 => Ok(CELL_BYTES_USUAL as usize),
        asked if asked <= CELL_BYTES_MAX => Ok(asked as usize),
        _ => Err(InvalidField::new("cell_bytes_max", format!("is more than {CELL_BYTES_MAX}"))),
    }
}

/// Rows of a window.
pub(crate) fn row_count(asked: u32) -> Result<u32, InvalidField> {
    if asked > ROWS_MAX {
        return Err(InvalidField::new("row_count", format!("is more than {ROWS_MAX}")));
    }
    Ok(asked)
}

pub(crate) fn summary_message(summary: ResultSummary, session_open: bool) -> pb::Result {
    let (state, failure) = state_message(summary.state, session_open);
    pb::Result {
        result_id: summary.id.to_string(),
        session_id: summary.session.to_string(),
        connection_id: summary.connection.map(|id| id.to_string()).unwrap_or_default(),
        sql: summary.sql_start,
        started: Some(timestamp(summary.started)),
        elapsed: Some(span(summary.elapsed)),
        state: state.into(),
        failure,
        session: None,
        rejection: None,
        transaction_state: summary
            .transaction
            .map_or(plugin::TransactionState::Unspecified, transaction_state)
            .into(),
        statement_count: summary.statement_count,
        statements: Vec::new(),
        notices: Vec::new(),
        notice_count: summary.notice_count,
        kept_bytes: summary.kept_bytes,
    }
}

pub(crate) fn facts_message(facts: ResultFacts, session_open: bool) -> pb::Result {
    let ResultFacts { summary, opened, refused, rolled_back, statements, notices } = facts;
    let rejection = refused.map(rejection_message).or_else(|| rolled_back.and_then(rejection));
    pb::Result {
        session: opened.map(opened_message),
        rejection,
        statements: statements.into_iter().map(statement_message).collect(),
        notices: notices.into_iter().filter_map(notice).collect(),
        ..summary_message(summary, session_open)
    }
}

fn state_message(state: RunState, session_open: bool) -> (pb::ResultState, Option<pb::ResultFailure>) {
    match state {
        RunState::Running => (pb::ResultState::Running, None),
        RunState::Done => (pb::ResultState::Done, None),
        RunState::Rejected => (pb::ResultState::Rejected, None),
        RunState::Cancelled => (pb::ResultState::Cancelled, None),
        RunState::Limited => (pb::ResultState::Limited, None),
        RunState::Failed(failure) => {
            let RunFailure { reason, message } = &*failure;
            let (reason, message) = (reason.clone(), message.clone());
            (pb::ResultState::Failed, Some(pb::ResultFailure { reason, message, session_open }))
        }
    }
}

fn statement_message(facts: StatementFacts) -> pb::StatementResult {
    use pb::statement_result::End;

    let StatementFacts { number, header, column_facts, progress, rows, views, state } = facts;
    let header = header.and_then(|part| match part.wire.part {
        Some(Message::Header(header)) => Some(header),
        _ => None,
    });
    let header = header.unwrap_or_default();
    let is_running = matches!(state, StatementState::Running);
    let end = match state {
        StatementState::Running => None,
        StatementState::Complete(part) => match part.wire.part {
            Some(Message::Summary(summary)) => Some(End::Summary(summary)),
            _ => Some(End::BrokenOff(pb::BrokenOff {})),
        },
        StatementState::Failed(StatementFailure::Rejected(part)) => match rejection(*part) {
            Some(rejection) => Some(End::Rejection(rejection)),
            None => Some(End::BrokenOff(pb::BrokenOff {})),
        },
        StatementState::LimitReached(limit) => Some(End::Limit(limit_message(limit))),
        StatementState::Failed(StatementFailure::BrokenOff) | StatementState::Abandoned => {
            Some(End::BrokenOff(pb::BrokenOff {}))
        }
    };
    let facts = column_facts.into_iter().flat_map(|part| match part.wire.part {
        Some(Message::ColumnFacts(facts)) => facts.columns,
        _ => Vec::new(),
    });
    pb::StatementResult {
        statement: number,
        returns_rows: header.returns_rows,
        columns: header.columns,
        column_facts: facts.collect(),
        span: header.span,
        row_count: rows.map_or(0, |rows| rows.rows),
        row_bytes: rows.map_or(0, |rows| rows.bytes),
        progress: progress.filter(|_| is_running).and_then(|part| match part.wire.part {
            Some(Message::Progress(progress)) => Some(progress),
            _ => None,
        }),
        views: views.into_iter().map(view_message).collect(),
        end,
    }
}

fn limit_message(limit: KeepLimit) -> pb::KeepLimit {
    let (kind, value) = match limit {
        KeepLimit::ResultBytes(bytes) => (pb::KeepLimitKind::ResultBytes, bytes),
        KeepLimit::AllBytes(bytes) => (pb::KeepLimitKind::AllBytes, bytes),
        KeepLimit::FreeDisk(percent) => (pb::KeepLimitKind::FreeDisk, u64::from(percent)),
        KeepLimit::DiskFull => (pb::KeepLimitKind::DiskFull, 0),
        KeepLimit::Files(files) => (pb::KeepLimitKind::Files, files),
    };
    pb::KeepLimit { kind: kind.into(), value }
}

fn rejection(part: Part) -> Option<plugin::Rejection> {
    match part.wire.part {
        Some(Message::Rejection(rejection)) => Some(rejection),
        _ => None,
    }
}

fn notice(part: Part) -> Option<plugin::Notice> {
    match part.wire.part {
        Some(Message::Notice(notice)) => Some(notice),
        _ => None,
    }
}

pub(crate) fn rows_message(read: &RowsRead) -> pb::Rows {
    let RowsRead { window, column_count, rows_so_far, is_growing } = read;
    let cells = (0..window.row_count())
        .flat_map(|row| (0..*column_count).map(move |column| window.cell(row, column)));
    let mut texts = Vec::with_capacity(window.row_count() as usize * column_count);
    let mut marks = Vec::new();
    for (index, cell) in (0..).zip(cells) {
        texts.push(cell.text.to_owned());
        if cell.state == CellState::Value && cell.display.is_none() {
            continue;
        }
        let (state, full_size_bytes) = state_of_cell(cell.state);
        let (display, element_display) = match cell.display {
            Some(display) => display_message(display),
            None => (plugin::Display::Unspecified, plugin::Display::Unspecified),
        };
        marks.push(pb::CellMark {
            index,
            state: state.into(),
            full_size_bytes,
            text_bytes: if state == pb::CellState::Cut { cell.text_bytes } else { 0 },
            display: display.into(),
            element_display: element_display.into(),
        });
    }
    pb::Rows {
        first_row: window.first(),
        row_count: window.row_count(),
        column_count: u32::try_from(*column_count).unwrap_or(u32::MAX),
        texts,
        marks,
        rows_so_far: *rows_so_far,
        growing: *is_growing,
    }
}

/// The contract's state of a cell, and its full size when it is cut.
pub(crate) fn state_of_cell(state: CellState) -> (pb::CellState, u64) {
    match state {
        CellState::Null => (pb::CellState::Null, 0),
        CellState::Value => (pb::CellState::Value, 0),
        CellState::Undecodable => (pb::CellState::Undecodable, 0),
        CellState::Cut { full_size } => (pb::CellState::Cut, full_size),
    }
}

pub(crate) fn changed_message(progress: RunProgress) -> pb::ResultChanged {
    pb::ResultChanged {
        result_id: progress.result.to_string(),
        state: state_message(progress.state, false).0.into(),
        statement_count: progress.statement_count,
        statement: progress.statement,
        row_count: progress.rows,
        kept_bytes: progress.kept_bytes,
    }
}

pub(crate) fn notice_message(result: SessionId, part: Part) -> pb::ResultNotice {
    pb::ResultNotice { result_id: result.to_string(), notice: notice(part) }
}

pub(crate) fn dropped_message(result: SessionId, cause: DropCause) -> pb::ResultDropped {
    pb::ResultDropped { result_id: result.to_string(), cause: drop_cause(cause).into() }
}

pub(crate) fn drop_cause(cause: DropCause) -> pb::ResultDropCause {
    match cause {
        DropCause::Dropped => pb::ResultDropCause::Dropped,
        DropCause::Idle => pb::ResultDropCause::Idle,
        DropCause::ShuttingDown => pb::ResultDropCause::ShuttingDown,
    }
}
