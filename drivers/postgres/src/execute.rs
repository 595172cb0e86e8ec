//! One statement: described, bound with a format for each column, executed, and told.

mod describe;
mod facts;
mod feed;
mod fetch;
mod output;
mod parallel;

use postgres_protocol::message::{backend, frontend};
use querybox_plugin::{CopyInput, Done, Error, ExecuteError, Query, Statement, pb};
use tokio::time::{Duration, timeout};
use tracing::{Instrument as _, trace_span};

use crate::{
    bindings::Bound,
    cancel::Canceller,
    connect::Reserve,
    connection::{Answer, Connection, out_of_order},
    copy::{self, Pieces},
    decode::Encoding,
    message::Field,
    read_only,
    rejection::Refusal,
    script,
    types::{self, Plan},
};
use facts::{Question, Reply};
use feed::Feed;
use fetch::Fetch;
use output::{Output, Taken};

/// Rows that wait for more from the server are sent when nothing came for so long. While the server is fast, batches
/// fill up before.
const ROWS_WAIT: Duration = Duration::from_millis(5);

/// Whether the exchange ends with the message that executes the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sync {
    Along,
    Later,
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Done,
    Rejected,
    /// Rejected, and the connection with it.
    Lost,
}

/// What a statement runs with.
pub(crate) struct Executor<'a> {
    pub(crate) connection: &'a mut Connection,
    pub(crate) query: &'a Query,
    pub(crate) canceller: &'a Canceller,
    /// For further connections; none without the user's consent.
    pub(crate) reserve: Option<&'a Reserve>,
}

impl Executor<'_> {
    /// Runs one statement and tells its results.
    pub(crate) async fn run(
        &mut self,
        bound: &Bound<'_>,
        statement: Statement<'_>,
    ) -> Result<Ended, ExecuteError> {
        if let Some(rejection) = self.cannot_be_sent(bound) {
            statement.rejected(rejection).await?;
            return Ok(Ended::Rejected);
        }
        let statement = match self.reserve {
            Some(reserve) if bound.is_empty() && parallel::reads(bound.sql()) => {
                match self.run_parallel(reserve, bound, statement).await? {
                    Ok(ended) => return Ok(ended),
                    Err(statement) => statement,
                }
            }
            _ => statement,
        };
        self.run_over_one(bound, statement, self.query.column_facts).await
    }

    /// Runs one statement over the session's own connection.
    async fn run_over_one(
        &mut self,
        bound: &Bound<'_>,
        statement: Statement<'_>,
        wants_facts: bool,
    ) -> Result<Ended, ExecuteError> {
        let described = match self.describe(bound.sql(), &statement).await? {
            Ok(described) => described,
            Err(refusal) => return self.refused(refusal, bound, Output::Waiting(statement)).await,
        };
        if bound.is_empty() && described.parameters > 0 {
            self.connection.settle().await?;
            statement.rejected(no_parameters(self.connection.told_transaction())).await?;
            return Ok(Ended::Rejected);
        }
        bound.check(described.parameters)?;

        let plans = described.fields.as_ref().map(|fields| self.plans(fields));
        let fetch = match plans {
            Some(_) => Fetch::new(self.query.rows_max, self.query.bytes_max),
            None => Fetch::everything(),
        };
        let fields = described.fields.as_ref().filter(|_| wants_facts);
        let question = fields.and_then(|fields| Question::new(self.connection, fields));
        if let Some(question) = &question {
            question.put(self.connection)?;
        }
        let formats = plans.iter().flatten().map(|plan| plan.decoder.format());
        self.connection.put_bind(bound.values(), formats)?;
        // A Sync is thrown away by a server that waits for data.
        let is_copy =
            described.fields.is_none() && copy::is_copy(bound.sql(), &self.connection.reported.dialect());
        self.execute(&fetch, if is_copy { Sync::Later } else { Sync::Along }).await?;
        self.connection.looks = self.connection.looks.after_statement();

        let facts = match question {
            None => Vec::new(),
            Some(question) => match self.reply(&question, &statement).await? {
                Reply::Facts(facts) => facts,
                Reply::Nothing => return Box::pin(self.run_over_one(bound, statement, false)).await,
                Reply::Refused(refusal) => {
                    return self.refused(refusal, bound, Output::Waiting(statement)).await;
                }
            },
        };
        let output = match (plans, described.fields) {
            (Some(plans), Some(fields)) => self.rows(&fields, plans, facts, statement).await?,
            _ => Output::Waiting(statement),
        };
        self.tell(bound, output, fetch).await
    }

    /// How the columns travel.
    fn plans(&self, fields: &[Field]) -> Vec<Plan> {
        let plan = |field| types::plan(field, &self.connection.reported, self.connection.looks);
        fields.iter().map(plan).collect()
    }

    /// Begins the rows of a result.
    async fn rows<'s>(
        &self,
        fields: &[Field],
        plans: Vec<Plan>,
        facts: Vec<pb::ColumnFact>,
        statement: Statement<'s>,
    ) -> Result<Output<'s>, ExecuteError> {
        let columns: Vec<_> = fields
            .iter()
            .zip(&plans)
            .map(|(field, plan)| types::column(field, self.type_name(field), plan.clone()))
            .collect();
        let decoders = plans.into_iter().map(|plan| plan.decoder).collect();
        let mut rows = statement.rows(&columns).await?;
        if !facts.is_empty() {
            rows.column_facts(facts).await?;
        }
        Ok(Output::Rows { rows, decoders })
    }

    /// A statement that would not reach the server as it was written, with its values.
    fn cannot_be_sent(&self, bound: &Bound<'_>) -> Option<pb::Rejection> {
        let sql = bound.sql();
        let rejection = pb::Rejection {
            severity: "ERROR".into(),
            transaction_state: self.connection.told_transaction().into(),
            ..pb::Rejection::default()
        };
        if let Some(zero) = sql.find('\0') {
            return Some(pb::Rejection {
                // character_not_in_repertoire, as for any text that the server cannot hold
                sqlstate: "22021".into(),
                message: "a statement cannot have a zero byte in it".into(),
                position_byte: u32::try_from(zero).ok(),
                ..rejection
            });
        }
        let reported = &self.connection.reported;
        let is_ascii = sql.is_ascii() && bound.values().flatten().all(str::is_ascii);
        let what = if sql.is_ascii() { "a value" } else { "the statement" };
        (reported.encoding() != Encoding::Utf8 && !is_ascii).then(|| pb::Rejection {
            sqlstate: "22021".into(),
            message: format!(
                "the session's client_encoding is {}, and {what} is written in UTF8",
                reported.client_encoding()
            ),
            hint: "Run SET client_encoding TO 'UTF8'.".into(),
            ..rejection
        })
    }

    async fn execute(&mut self, fetch: &Fetch, sync: Sync) -> Result<(), Error> {
        self.connection.put(|output| frontend::execute("", fetch.rows_at_once(), output))?;
        if fetch.is_everything() && sync == Sync::Along {
            self.connection.put_sync();
        } else {
            // A Sync would end the transaction, and with it the portal that further rows come from.
            frontend::flush(&mut self.connection.wire.output);
        }
        self.connection.wire.send().await
    }

    /// Tells what the server sends until the statement is over.
    async fn tell(
        &mut self,
        bound: &Bound<'_>,
        mut output: Output<'_>,
        mut fetch: Fetch,
    ) -> Result<Ended, ExecuteError> {
        let encoding = self.connection.reported.encoding();
        // The server's word that the statement is over; none when the driver closed it at a limit.
        let mut command_tag = None;
        let mut is_closed = false;
        let mut refusal: Option<Refusal> = None;
        // A row beyond a limit came.
        let mut is_full = false;
        // Rows of a COPY cannot be asked for bit by bit, so that a limit cancels it where that takes back nothing. The
        // rest of another one is read and dropped.
        let mut is_copy_stoppable = false;
        let mut is_copy_stopped = false;
        let mut feed = Feed::Nothing;
        let mut is_asked = false;
        loop {
            let Some(answer) = self.connection.next()? else {
                match &mut feed {
                    Feed::Nothing if self.connection.wire.is_sent() => self.wait(&mut output).await?,
                    feed => self.feed(feed).await?,
                }
                continue;
            };
            match answer {
                Answer::Row(head) => {
                    let body = self.connection.wire.body(head);
                    fetch.count(body.len());
                    let taken = output.row(body, encoding)?;
                    self.connection.wire.consume(head);
                    match taken {
                        Taken::Held => {}
                        Taken::Due => output.flush().await?,
                        Taken::Unwanted => is_full = true,
                    }
                }
                Answer::CopyData(head) => {
                    let piece = output.piece(self.connection.wire.body(head), encoding)?;
                    self.connection.wire.consume(head);
                    match piece {
                        Taken::Held => {}
                        Taken::Due => output.flush().await?,
                        Taken::Unwanted if is_copy_stopped || !is_copy_stoppable => {}
                        Taken::Unwanted => {
                            is_copy_stopped = true;
                            self.canceller.send().await?;
                        }
                    }
                }
                Answer::Notice(notice) => output.notice(notice).await?,
                Answer::Refused(fatal) if fatal.is_fatal() => {
                    return self.refused(fatal, bound, output).await;
                }
                Answer::Refused(refused) => {
                    refusal = Some(refused);
                    // What is still to be sent of the data goes before, and the server throws it away.
                    self.connection.is_copying_in = false;
                    feed = Feed::Nothing;
                    self.sync().await?;
                }
                Answer::Ready => break,
                Answer::Fields(_) => return Err(out_of_order().into()),
                Answer::Other(message) => match message {
                    backend::Message::BindComplete
                    | backend::Message::CloseComplete
                    | backend::Message::CopyDone => {}
                    backend::Message::EmptyQueryResponse => {
                        command_tag = Some(String::new());
                        self.sync().await?;
                    }
                    backend::Message::CommandComplete(complete) => {
                        let tag = complete.tag();
                        let tag = tag.map_err(|_| Error::protocol("the server's command tag is no text"))?;
                        command_tag = Some(tag.to_owned());
                        self.sync().await?;
                    }
                    backend::Message::PortalSuspended if !is_full => {
                        fetch.next();
                        self.execute(&fetch, Sync::Along).await?;
                    }
                    backend::Message::PortalSuspended => {
                        is_closed = true;
                        self.connection.put(|output| frontend::close(b'P', "", output))?;
                        self.sync().await?;
                    }
                    // Nobody can be asked twice, and what takes data returns none.
                    backend::Message::CopyInResponse(_) | backend::Message::CopyOutResponse(_)
                        if is_asked =>
                    {
                        return Err(out_of_order().into());
                    }
                    backend::Message::CopyOutResponse(response) => {
                        output = output.copy(Pieces::of_format(response.format())).await?;
                        is_copy_stoppable = self.connection.transaction == pb::TransactionState::Idle
                            && copy::only_reads(bound.sql(), &self.connection.reported.dialect());
                    }
                    backend::Message::CopyInResponse(response) => match self.ask(&output, &response).await? {
                        Some(input) => {
                            is_asked = true;
                            self.connection.is_copying_in = true;
                            feed = Feed::From(input);
                        }
                        None => {
                            output = output.refuse_input()?;
                            copy::refuse_input(self.connection);
                            self.connection.wire.send().await?;
                        }
                    },
                    _ => return Err(out_of_order().into()),
                },
            }
        }
        match refusal {
            // By the driver, unless the user wanted the same.
            Some(refusal)
                if is_copy_stopped && refusal.is_cancel() && !self.query.cancelled.is_cancelled() => {}
            Some(refusal) => return self.reject(refusal, bound, output).await,
            None if command_tag.is_none() && !is_closed => return Err(out_of_order().into()),
            None => {}
        }
        let command_tag = command_tag.unwrap_or_default();
        self.connection.after_command(&command_tag).await?;
        if command_tag == "ROLLBACK" && read_only::asks_to_commit(bound.sql()) {
            output.rejected(script::not_committed(self.connection.told_transaction())).await?;
            return Ok(Ended::Rejected);
        }
        let done = Done {
            affected_rows: affected_rows(&command_tag, output.returns_rows()),
            command_tag,
            transaction_state: self.connection.told_transaction(),
        };
        output.done(done).await?;
        Ok(Ended::Done)
    }
}

impl Executor<'_> {
    /// Ends the exchange of this statement, unless that was sent with it.
    async fn sync(&mut self) -> Result<(), Error> {
        if self.connection.is_unsynced {
            self.connection.put_sync();
            self.connection.wire.send().await?;
        }
        Ok(())
    }

    /// Waits for the server, and sends what was told before when that takes a while.
    async fn wait(&mut self, output: &mut Output<'_>) -> Result<(), ExecuteError> {
        let cancelled = &self.query.cancelled;
        // A bench looks at it.
        let span = || trace_span!(target: "querybox::hops", "driver waits for server");
        if let Output::Rows { .. } | Output::Copy { .. } = output {
            let waiting = self.connection.wait_until(cancelled).instrument(span());
            match timeout(ROWS_WAIT, waiting).await {
                Ok(Some(waited)) => return Ok(waited?),
                Ok(None) => {}
                Err(_) => output.flush().await?,
            }
        }
        Ok(self.connection.wait(cancelled, self.canceller).instrument(span()).await?)
    }

    /// Asks for the data that the server wants. None: there is nobody who gives any.
    async fn ask(
        &mut self,
        output: &Output<'_>,
        response: &backend::CopyInResponseBody,
    ) -> Result<Option<CopyInput>, ExecuteError> {
        let Output::Waiting(statement) = output else { return Err(out_of_order().into()) };
        // Only a COPY does, and with one no Sync was sent.
        if !self.connection.is_unsynced {
            return Err(out_of_order().into());
        }
        let format = match response.format() {
            0 => pb::CopyFormat::Text,
            _ => pb::CopyFormat::Binary,
        };
        let columns = fallible_iterator::FallibleIterator::count(response.column_formats())
            .map_err(|_| Error::protocol("the server asks for data wrongly"))?;
        let columns = u32::try_from(columns).expect("a count of two bytes");
        statement.asks_for_data(format, columns).await
    }

    /// Tells a refusal, once the connection is in step again; one that ends the connection at once.
    async fn refused(
        &mut self,
        refusal: Refusal,
        bound: &Bound<'_>,
        output: Output<'_>,
    ) -> Result<Ended, ExecuteError> {
        if refusal.is_fatal() {
            // The state of the transaction stays what it was: that is what is lost.
            self.reject(refusal, bound, output).await?;
            return Ok(Ended::Lost);
        }
        self.connection.settle().await?;
        self.reject(refusal, bound, output).await
    }

    async fn reject(
        &mut self,
        refusal: Refusal,
        bound: &Bound<'_>,
        output: Output<'_>,
    ) -> Result<Ended, ExecuteError> {
        let counting = self.connection.reported.counting();
        let transaction_state = self.connection.told_transaction();
        let mut rejection = refusal.of_statement(bound.sql(), counting, transaction_state);
        let original = |byte: u32| u32::try_from(bound.original_offset(usize::try_from(byte).ok()?)).ok();
        rejection.position_byte = rejection.position_byte.and_then(original);
        output.rejected(rejection).await?;
        Ok(Ended::Rejected)
    }
}

/// The refusal of a statement with parameters that nobody gave values for, in the server's words for the same.
fn no_parameters(transaction_state: pb::TransactionState) -> pb::Rejection {
    pb::Rejection {
        // undefined_parameter
        sqlstate: "42P02".into(),
        severity: "ERROR".into(),
        message: "there is no parameter $1".into(),
        hint: "Give the statement a value for each of its parameters.".into(),
        transaction_state: transaction_state.into(),
        ..pb::Rejection::default()
    }
}

/// The rows that a command changed, from its tag; none where the tag does not say so.
///
/// `SELECT 5` counts the rows of a new table when it returns none (`CREATE TABLE AS`), `COPY 5` those that went in.
fn affected_rows(command_tag: &str, returns_rows: bool) -> Option<u64> {
    let verb = command_tag.split(' ').next()?;
    let count = || command_tag.rsplit(' ').next()?.parse().ok();
    match verb {
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => count(),
        "SELECT" | "COPY" if !returns_rows => count(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affected_rows_are_those_that_changed() {
        assert_eq!(affected_rows("INSERT 0 5", false), Some(5));
        assert_eq!(affected_rows("DELETE 3", true), Some(3));
        assert_eq!(affected_rows("SELECT 3", true), None);
        assert_eq!(affected_rows("SELECT 3", false), Some(3));
        assert_eq!(affected_rows("COPY 3", true), None);
        assert_eq!(affected_rows("CREATE TABLE", false), None);
        assert_eq!(affected_rows("FETCH 3", true), None);
        assert_eq!(affected_rows("", false), None);
    }
}
