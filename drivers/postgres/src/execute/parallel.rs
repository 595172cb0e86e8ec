//! A plain table, read over several connections where the user consents: each reads ranges of its blocks, and all of them see
//! it through one snapshot, so that each row comes once, whatever others write meanwhile.
//!
//! The session's own connection is one of them. It locks the table before the snapshot is taken, as any query of it would, and
//! the others get the same lock before the first block is read, without waiting for it: behind somebody who waits for a stronger
//! one they would wait for the session, and it for them.
//!
//! A cancel, and whatever goes wrong on one of the connections, ends all of them.

mod reader;
mod table;
mod worker;

use std::sync::{Mutex as SyncMutex, PoisonError, atomic::AtomicU32};

use futures::future::join_all;
use querybox_plugin::{Done, ExecuteError, Statement, pb};
use tokio::sync::Mutex;

use super::{Ended, Executor, Output};
use crate::{
    bindings::Bound,
    connect::Reserve,
    connection::{Connection, Frame},
    rejection::Refusal,
    script,
};
use reader::{Fault, Reader};
use table::{Found, Table};
use worker::Worker;

/// What the connections share while they read.
struct Work<'a> {
    table: &'a Table,
    formats: Vec<i16>,
    /// The next range that nobody has taken.
    next: AtomicU32,
    output: Mutex<Output<'a>>,
    /// The first of what went wrong: what comes after it is only its consequence.
    fault: SyncMutex<Option<Fault>>,
    /// Cancelled when all have to stop.
    stop: tokio_util::sync::CancellationToken,
}

impl Work<'_> {
    /// Stops all, for this reason if there is no earlier one.
    fn fail(&self, fault: Fault) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        self.stop.cancel();
    }
}

impl Executor<'_> {
    /// Reads a table over several connections. Given back: a statement that is read over one, which was told, with the reason.
    pub(super) async fn run_parallel<'s>(
        &mut self,
        reserve: &Reserve,
        bound: &Bound<'_>,
        statement: Statement<'s>,
    ) -> Result<Result<Ended, Statement<'s>>, ExecuteError> {
        let table = match self.find(reserve, bound).await? {
            Found::Table(table) => table,
            Found::NotNow(why) => {
                self.leave_own_transaction().await?;
                statement.notice(over_one(&why)).await?;
                return Ok(Err(statement));
            }
            Found::Refused(refusal) if refusal.is_fatal() => {
                return self.refused(refusal, bound, Output::Waiting(statement)).await.map(Ok);
            }
            // The statement itself tells of it.
            Found::Refused(_) | Found::Nothing => {
                self.leave_own_transaction().await?;
                return Ok(Err(statement));
            }
        };
        let wanted = table.connections(reserve.connections_max);
        let encoding = self.connection.reported.encoding();
        let opening = (1..wanted).map(|_| worker::open(reserve, self.canceller, &table, encoding));
        let opened = tokio::select! {
            biased;
            () = self.query.cancelled.cancelled() => {
                statement.rejected(script::cancelled_before(self.connection.told_transaction())).await?;
                return Ok(Ok(Ended::Rejected));
            }
            opened = join_all(opening) => opened,
        };
        let mut workers = Vec::new();
        let mut failure = None;
        for opened in opened {
            match opened {
                Ok(worker) => workers.push(worker),
                Err(why) => failure = failure.or(Some(why)),
            }
        }
        if let Some(why) = failure {
            statement.notice(over_fewer(workers.len() + 1, wanted, &why)).await?;
        }
        self.read(bound, statement, &table, workers).await.map(Ok)
    }

    /// Ends the transaction that was begun to look for a table. One around the script stays.
    async fn leave_own_transaction(&mut self) -> Result<(), ExecuteError> {
        if self.connection.frame == Frame::Statement {
            self.connection.roll_back_frame().await?;
        }
        Ok(())
    }

    async fn read(
        &mut self,
        bound: &Bound<'_>,
        statement: Statement<'_>,
        table: &Table,
        mut workers: Vec<Worker>,
    ) -> Result<Ended, ExecuteError> {
        let described = match self.describe(bound.sql(), &statement).await? {
            Ok(described) => described,
            Err(refusal) => return self.refused(refusal, bound, Output::Waiting(statement)).await,
        };
        self.connection.settle().await?;
        let fields = described.fields.ok_or_else(crate::connection::out_of_order)?;
        let plans = self.plans(&fields);
        let formats = plans.iter().map(|plan| plan.decoder.format()).collect();
        let output = self.rows(&fields, plans, Vec::new(), statement).await?;
        self.connection.looks = self.connection.looks.after_statement();

        let work = Work {
            table,
            formats,
            next: AtomicU32::new(0),
            output: Mutex::new(output),
            fault: SyncMutex::new(None),
            stop: self.query.cancelled.child_token(),
        };
        let own = Reader { connection: &mut *self.connection, canceller: self.canceller };
        let others = workers
            .iter_mut()
            .map(|Worker { connection, canceller }| Reader { connection, canceller: &*canceller });
        let read = join_all(std::iter::once(own).chain(others).map(|reader| reader.run(&work))).await;
        let Work { output, fault, .. } = work;
        let output = output.into_inner();
        join_all(workers.into_iter().map(Worker::leave)).await;

        match fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
            None => {}
            Some(Fault::Failed(error)) => return Err(error),
            Some(Fault::Refused(refusal)) => return self.refused_in_parts(refusal, output).await,
        }
        let (ranges, rows) =
            read.iter().fold((0, 0), |(ranges, rows), read| (ranges + read.ranges, rows + read.rows));
        if ranges < table.ranges() {
            output.rejected(script::cancelled_before(self.connection.told_transaction())).await?;
            return Ok(Ended::Rejected);
        }
        let done = Done {
            affected_rows: None,
            command_tag: format!("SELECT {rows}"),
            transaction_state: self.connection.told_transaction(),
        };
        output.done(done).await?;
        Ok(Ended::Done)
    }

    /// Tells a refusal of a part. Its position is one of that part's text, which the user did not write.
    async fn refused_in_parts(
        &mut self,
        refusal: Refusal,
        output: Output<'_>,
    ) -> Result<Ended, ExecuteError> {
        let ended = if self.connection.is_over { Ended::Lost } else { Ended::Rejected };
        output.rejected(refusal.of_log_in()).await?;
        Ok(ended)
    }
}

/// Whether a statement could be one that is read over several connections, so that the user is told when it is not.
pub(super) fn reads(sql: &str) -> bool {
    let word = crate::read_only::first_word(sql);
    ["SELECT", "TABLE", "WITH"].iter().any(|reading| word.eq_ignore_ascii_case(reading))
}

/// Whether nothing is open that the parts would have to see.
fn is_idle(connection: &Connection) -> bool {
    connection.transaction == pb::TransactionState::Idle && connection.frame == Frame::None
}

fn over_one(why: &str) -> pb::Notice {
    notice(format!("read over one connection: {why}"))
}

fn over_fewer(opened: usize, wanted: u32, why: &str) -> pb::Notice {
    notice(format!("read over {opened} of {wanted} connections: {why}"))
}

fn notice(message: String) -> pb::Notice {
    pb::Notice { severity: "NOTICE".into(), message, ..pb::Notice::default() }
}
