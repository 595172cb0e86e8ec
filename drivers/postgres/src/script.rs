//! A script: its statements one after another, and what frames them.

mod statements;

use querybox_plugin::{Error, ExecuteError, OnError, OpenError, Query, Reason, Results, pb};
use querybox_sql::SplitError;

use crate::{
    bindings::{self, Bound},
    cancel::Canceller,
    connect::Reserve,
    connection::{Access, Connection, Frame},
    execute::{Ended, Executor},
    read_only::{self, Effect},
    savepoint,
};

pub(crate) use statements::Statements;

/// What became of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Kept,
    /// The server ended it, and said so as a rejection.
    Lost,
}

/// Runs a script.
pub(crate) async fn run(
    connection: &mut Connection,
    query: &Query,
    results: &mut Results,
    canceller: &Canceller,
    reserve: Option<&Reserve>,
) -> Result<Link, ExecuteError> {
    connection.begin();
    let mut statements = match Statements::new(&query.sql, &connection.reported) {
        Ok(statements) => statements,
        Err(error) => {
            let rejection = cannot_be_split(&error, 0, connection.told_transaction());
            results.statement(0..query.sql.len()).rejected(rejection).await?;
            return Ok(Link::Kept);
        }
    };
    if !query.bindings.is_empty() && statements.left() != 1 {
        return Err(bindings::invalid("values are only taken for a script of one statement").into());
    }
    if query.single_transaction && query.column_facts {
        savepoint::learn(connection).await?;
    }
    if query.single_transaction && !begin(connection, results).await? {
        return Ok(Link::Kept);
    }

    let mut is_rejected = false;
    loop {
        let range = match statements.next(&connection.reported) {
            Ok(Some(range)) => range,
            Ok(None) => break,
            Err(error) => {
                let rest = statements.rest();
                let rejection = cannot_be_split(&error, rest.start, connection.told_transaction());
                results.statement(rest).rejected(rejection).await?;
                is_rejected = true;
                break;
            }
        };
        let bound = Bound::new(&query.sql[range.clone()], &query.bindings, &connection.reported.dialect())?;
        let statement = results.statement(range);
        let effect = read_only::effect(bound.sql());
        if let Some(rejection) = control_refused(connection, bound.sql(), effect) {
            statement.rejected(rejection).await?;
            is_rejected = true;
            if query.on_error == OnError::Stop {
                break;
            }
            continue;
        }
        if query.cancelled.is_cancelled() {
            statement.rejected(cancelled_before(connection.told_transaction())).await?;
            is_rejected = true;
            break;
        }
        if query.column_facts && matches!(effect, Effect::Control("BEGIN" | "START")) {
            savepoint::learn(connection).await?;
        }
        let mut executor = Executor { connection: &mut *connection, query, canceller, reserve };
        let ended = executor.run(&bound, statement).await?;
        if ended != Ended::Lost {
            read_only::end_statement(connection, effect).await?;
        }
        match ended {
            Ended::Done => {}
            Ended::Rejected => {
                is_rejected = true;
                if query.on_error == OnError::Stop {
                    break;
                }
            }
            Ended::Lost if query.one_shot && (statements.left() == 0 || query.on_error == OnError::Stop) => {
                return Ok(Link::Lost);
            }
            // What was to follow is lost, or whatever else was to come in this session.
            Ended::Lost => return Err(Error::lost("the server ended the session").into()),
        }
    }

    if query.single_transaction {
        return end(connection, query, results, is_rejected).await;
    }
    if query.one_shot && connection.transaction != pb::TransactionState::Idle {
        own(connection, "ROLLBACK").await?.map_err(|_| lost_step())?;
        results.rolled_back_at_end().await?;
    }
    Ok(Link::Kept)
}

/// Whether the connection can be used after such a failure, once it is settled.
pub(crate) fn leaves_in_step(error: &Error) -> bool {
    error.reason() == Reason::BindingInvalid
}

/// Begins the transaction around a script; whether it could be.
async fn begin(connection: &mut Connection, results: &mut Results) -> Result<bool, ExecuteError> {
    let rejection = if connection.transaction == pb::TransactionState::Idle {
        let begin = match connection.access {
            Access::ReadWrite => "BEGIN",
            Access::ReadOnly => "BEGIN READ ONLY",
        };
        match own(connection, begin).await? {
            Ok(()) => {
                connection.frame = Frame::Script;
                return Ok(true);
            }
            Err(rejection) => *rejection,
        }
    } else {
        pb::Rejection {
            // active_sql_transaction
            sqlstate: "25001".into(),
            severity: "ERROR".into(),
            message: "a transaction is open, so that the script cannot be one".into(),
            hint: "End it with COMMIT or ROLLBACK first.".into(),
            transaction_state: connection.transaction.into(),
            ..pb::Rejection::default()
        }
    };
    results.statement(0..0).rejected(rejection).await?;
    Ok(false)
}

/// Ends the transaction around a script, unless the script did so itself.
async fn end(
    connection: &mut Connection,
    query: &Query,
    results: &mut Results,
    is_rejected: bool,
) -> Result<Link, ExecuteError> {
    if is_rejected || connection.access == Access::ReadOnly {
        connection.roll_back_frame().await?;
        return Ok(Link::Kept);
    }
    connection.frame = Frame::None;
    if connection.transaction == pb::TransactionState::Idle {
        return Ok(Link::Kept);
    }
    // A failed transaction takes a COMMIT for a ROLLBACK, and calls that no error.
    let has_failed = connection.transaction == pb::TransactionState::Failed;
    let refused = match own(connection, "COMMIT").await? {
        Ok(()) if has_failed => Some(not_committed(connection.transaction)),
        Ok(()) => None,
        // A constraint that is checked at the end, for instance.
        Err(rejection) => Some(*rejection),
    };
    if let Some(rejection) = refused {
        // It belongs to no statement of the script.
        let end = query.sql.len();
        results.statement(end..end).rejected(rejection).await?;
    }
    Ok(Link::Kept)
}

/// The rejection of a statement that may not end the transaction which is around it.
fn control_refused(connection: &Connection, sql: &str, effect: Effect) -> Option<pb::Rejection> {
    let transaction_state = connection.told_transaction();
    match (connection.access, effect) {
        (Access::ReadOnly, Effect::Control(command)) => {
            Some(read_only::control_refused(command, transaction_state))
        }
        (Access::ReadWrite, _) if connection.frame == Frame::Script => {
            let command = read_only::end_of_transaction(sql)?;
            Some(pb::Rejection {
                // invalid_transaction_termination
                sqlstate: "2D000".into(),
                severity: "ERROR".into(),
                message: format!("{command} is not taken in a script that runs as a single transaction"),
                detail: "What follows it would not be part of that transaction any more.".into(),
                hint: format!("Take {command} out, or run the script without a single transaction."),
                transaction_state: transaction_state.into(),
                ..pb::Rejection::default()
            })
        }
        _ => None,
    }
}

/// The rejection of a COMMIT that the server took for a ROLLBACK.
pub(crate) fn not_committed(transaction_state: pb::TransactionState) -> pb::Rejection {
    pb::Rejection {
        // transaction_rollback
        sqlstate: "40000".into(),
        severity: "ERROR".into(),
        message: "the transaction was rolled back, and not committed: something in it had failed".into(),
        transaction_state: transaction_state.into(),
        ..pb::Rejection::default()
    }
}

/// Runs a command of the driver's own.
async fn own(
    connection: &mut Connection,
    command: &'static str,
) -> Result<Result<(), Box<pb::Rejection>>, Error> {
    match connection.simple(command).await {
        Ok(_) => Ok(Ok(())),
        Err(OpenError::Rejected(rejection)) if !connection.is_over => {
            Ok(Err(Box::new(pb::Rejection { position_byte: None, ..*rejection })))
        }
        Err(OpenError::Rejected(rejection)) => Err(Error::lost(rejection.message)),
        Err(OpenError::Failed(error)) => Err(error),
    }
}

fn lost_step() -> Error {
    Error::lost("the server refused to roll back")
}

/// The rejection of a script that is not SQL alone from the byte `start` on.
pub(crate) fn cannot_be_split(
    error: &SplitError,
    start: usize,
    transaction_state: pb::TransactionState,
) -> pb::Rejection {
    let SplitError::BackslashCommand { offset, .. } = error;
    pb::Rejection {
        // syntax_error
        sqlstate: "42601".into(),
        severity: "ERROR".into(),
        message: error.to_string(),
        position_byte: offset.checked_sub(start).and_then(|byte| u32::try_from(byte).ok()),
        transaction_state: transaction_state.into(),
        ..pb::Rejection::default()
    }
}

/// The rejection of a statement that was not begun.
pub(crate) fn cancelled_before(transaction_state: pb::TransactionState) -> pb::Rejection {
    pb::Rejection {
        // query_canceled
        sqlstate: "57014".into(),
        severity: "ERROR".into(),
        message: "canceled before the statement began".into(),
        transaction_state: transaction_state.into(),
        ..pb::Rejection::default()
    }
}
