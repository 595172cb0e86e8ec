//! A script: its statements one after another, and what frames them.

use querybox_plugin::{Error, ExecuteError, OnError, OpenError, Query, Reason, Results, pb};
use querybox_sql::{Dialect, SplitError, Statement, split};

use crate::{
    bindings::{self, Bound},
    cancel::Canceller,
    connection::{Access, Connection, Frame},
    execute::{Ended, Executor},
    read_only::{self, Effect},
};

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
) -> Result<Link, ExecuteError> {
    connection.begin();
    let dialect = Dialect::postgres();
    let statements = match split(&query.sql, &dialect) {
        Ok(statements) => statements,
        Err(error) => {
            results.statement(0..query.sql.len()).rejected(cannot_be_split(&error)).await?;
            return Ok(Link::Kept);
        }
    };
    if !query.bindings.is_empty() && statements.len() != 1 {
        return Err(bindings::invalid("values are only taken for a script of one statement").into());
    }
    if query.single_transaction && !begin(connection, results).await? {
        return Ok(Link::Kept);
    }

    let mut is_rejected = false;
    let mut rest = statements.into_iter().peekable();
    while let Some(Statement { range, .. }) = rest.next() {
        let bound = Bound::new(&query.sql[range.clone()], &query.bindings, &dialect)?;
        let statement = results.statement(range);
        let effect = read_only::effect(bound.sql());
        if let (Access::ReadOnly, Effect::Control(command)) = (connection.access, effect) {
            statement.rejected(read_only::control_refused(command, connection.told_transaction())).await?;
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
        let mut executor = Executor { connection: &mut *connection, query, canceller };
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
            Ended::Lost if rest.peek().is_none() || query.on_error == OnError::Stop => return Ok(Link::Lost),
            Ended::Lost => {
                return Err(
                    Error::lost("the server ended the connection, and its transaction with it").into()
                );
            }
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
    if let Err(rejection) = own(connection, "COMMIT").await? {
        // A constraint that is checked at the end, for instance. It belongs to no statement of the script.
        let end = query.sql.len();
        results.statement(end..end).rejected(*rejection).await?;
    }
    Ok(Link::Kept)
}

/// Runs a command of the driver's own.
async fn own(
    connection: &mut Connection,
    command: &'static str,
) -> Result<Result<(), Box<pb::Rejection>>, Error> {
    match connection.simple(command).await {
        Ok(_) => Ok(Ok(())),
        Err(OpenError::Rejected(rejection)) if rejection.severity != "FATAL" => {
            Ok(Err(Box::new(pb::Rejection { position_byte: None, ..*rejection })))
        }
        Err(OpenError::Rejected(rejection)) => Err(Error::lost(rejection.message)),
        Err(OpenError::Failed(error)) => Err(error),
    }
}

fn lost_step() -> Error {
    Error::lost("the server refused to roll back")
}

/// The rejection of a script that is not SQL alone.
pub(crate) fn cannot_be_split(error: &SplitError) -> pb::Rejection {
    let SplitError::BackslashCommand { offset, .. } = error;
    pb::Rejection {
        // syntax_error
        sqlstate: "42601".into(),
        severity: "ERROR".into(),
        message: error.to_string(),
        position_byte: u32::try_from(*offset).ok(),
        ..pb::Rejection::default()
    }
}

/// The rejection of a statement that was not begun.
fn cancelled_before(transaction_state: pb::TransactionState) -> pb::Rejection {
    pb::Rejection {
        // query_canceled
        sqlstate: "57014".into(),
        severity: "ERROR".into(),
        message: "canceled before the statement began".into(),
        transaction_state: transaction_state.into(),
        ..pb::Rejection::default()
    }
}
