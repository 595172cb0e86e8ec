//! The leased session: opened, asked again and again, closed. What became of it is read off every answer.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, TryStreamExt};
use querybox_contracts::{
    core::v1::{
        self as core, open_session_response::Outcome, schema_service_client::SchemaServiceClient,
        session_service_client::SessionServiceClient,
    },
    plugin::v1::{self as plugin, TransactionState, execute_response::Part as ResultPart},
};
use tonic::{Response, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::{
    composition::{Channel, MESSAGE_BYTES_MAX},
    failure::Failure,
    query::parts::{self, Part},
    schema::{self, Reading},
};

/// A session that is held for the shell.
pub(crate) struct Lease {
    pub id: String,
    channel: Channel,
    seen: Arc<Mutex<Seen>>,
}

/// What the answers told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub transaction: TransactionState,
    /// Results that were shown, empty ones too.
    pub results: u64,
    /// A result is announced that was not shown yet.
    awaits_rows: bool,
    /// The statement whose parts come returns rows.
    returns_rows: bool,
    /// A statement changed what there is to complete.
    pub changed_schema: bool,
    /// The session is over.
    pub end: Option<LeaseEnd>,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaseEnd {
    /// The contract's word. Empty: not told.
    pub cause: String,
    pub transaction_lost: bool,
}

impl LeaseEnd {
    /// How it ended, for people.
    pub(crate) fn sentence(&self) -> String {
        let ended = match self.cause.as_str() {
            "CONNECTION_LOST" => "connection lost",
            "IDLE" => "the session was not used for too long, and ended",
            _ => "the session has ended",
        };
        let lost = if self.transaction_lost { ", transaction lost" } else { "" };
        format!("{ended}{lost}")
    }
}

/// What became of opening.
pub(crate) enum Opening {
    Leased(Lease, Box<core::SessionLeased>),
    Refused(Box<plugin::Rejection>),
}

/// Opens a session on a saved connection.
pub(crate) async fn open(
    channel: &Channel,
    front_end_id: String,
    connection: core::ConnectionRef,
    credential: Option<plugin::Credential>,
) -> Result<Opening, Failure> {
    let id = Uuid::now_v7().to_string();
    let request = core::OpenSessionRequest {
        session_id: id.clone(),
        target: Some(core::open_session_request::Target::Connection(connection)),
        credential,
        idle_limit: None,
        front_end_id,
    };
    let mut client = SessionServiceClient::new(channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
    match client.open_session(request).await?.into_inner().outcome {
        Some(Outcome::Leased(leased)) => {
            let lease = Lease { id, channel: channel.clone(), seen: Arc::default() };
            Ok(Opening::Leased(lease, Box::new(leased)))
        }
        Some(Outcome::Rejection(rejection)) => Ok(Opening::Refused(Box::new(rejection))),
        None => Err(Failure::machinery("Core answered without an outcome")),
    }
}

impl Lease {
    /// What the answers told so far.
    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// The names were read; what changed before does not count any more.
    pub(crate) fn schema_is_read(&self) {
        self.lock().changed_schema = false;
    }

    /// The names have to be read.
    pub(crate) fn schema_is_stale(&self) {
        self.lock().changed_schema = true;
    }

    /// Runs a script.
    pub(crate) async fn execute(
        &self,
        sql: String,
        options: core::ExecuteOptions,
    ) -> Result<impl Stream<Item = Result<Part, Status>> + use<>, Status> {
        let request =
            core::ExecuteInSessionRequest { session_id: self.id.clone(), sql, options: Some(options) };
        let mut client = SessionServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let answer = client.execute_in_session(request).await.map(Response::into_inner);
        let stream = answer.inspect_err(|status| self.lock().fail(status))?;
        let (parts_seen, failure_seen) = (Arc::clone(&self.seen), Arc::clone(&self.seen));
        Ok(parts::of_session(stream)
            .inspect_ok(move |part| lock(&parts_seen).see(part))
            .inspect_err(move |status| lock(&failure_seen).fail(status)))
    }

    /// Reads the catalog.
    pub(crate) async fn schema(&self, wanted: Wanted) -> Result<Reading, Status> {
        let request = core::GetSchemaRequest {
            session_id: self.id.clone(),
            connection: None,
            schemas: wanted.schema.into_iter().collect(),
            name: wanted.relation.unwrap_or_default(),
            kinds: wanted.kinds.iter().map(|kind| i32::from(*kind)).collect(),
            ..core::GetSchemaRequest::default()
        };
        let client =
            SchemaServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
        schema::read(client, request).await.inspect_err(|status| self.lock().fail(status))
    }

    /// Ends the session. Whether an open transaction went with it.
    pub(crate) async fn close(self) -> bool {
        let mut client = SessionServiceClient::new(self.channel.clone());
        match client.close_session(core::CloseSessionRequest { session_id: self.id.clone() }).await {
            Ok(answer) => answer.get_ref().transaction_lost,
            // It has ended by itself, and its driver with it.
            Err(status) => end_of(&status).is_some_and(|end| end.transaction_lost),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

/// Which part of the catalog is wanted.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub schema: Option<String>,
    pub relation: Option<String>,
    /// Empty: all.
    pub kinds: &'static [plugin::SchemaObjectKind],
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    fn see(&mut self, part: &Part) {
        let Part::Result(part) = part else { return };
        match part {
            ResultPart::Header(header) => {
                (self.returns_rows, self.awaits_rows) = (header.returns_rows, header.returns_rows);
            }
            ResultPart::Batch(_) => self.show(),
            ResultPart::Summary(summary) => {
                self.show();
                self.transaction_is(summary.transaction_state());
                let verb = summary.command_tag.split(' ').next().unwrap_or_default();
                self.changed_schema |= changes_schema(verb, self.returns_rows);
                self.returns_rows = false;
            }
            ResultPart::Rejection(rejection) => {
                (self.returns_rows, self.awaits_rows) = (false, false);
                self.transaction_is(rejection.transaction_state());
            }
            ResultPart::Notice(_)
            | ResultPart::Progress(_)
            | ResultPart::ColumnFacts(_)
            | ResultPart::CopyIn(_) => {}
        }
    }

    fn show(&mut self) {
        self.results += u64::from(std::mem::take(&mut self.awaits_rows));
    }

    fn transaction_is(&mut self, state: TransactionState) {
        // A rejection that does not know leaves what was known.
        if state != TransactionState::Unspecified {
            self.transaction = state;
        }
    }

    fn fail(&mut self, status: &Status) {
        if let Some(end) = end_of(status) {
            self.end = Some(end);
        }
    }
}

/// Whether a statement with this verb can have changed the names that there are. A rollback may take names away again.
fn changes_schema(verb: &str, returns_rows: bool) -> bool {
    const VERBS: [&str; 13] = [
        "CREATE", "ALTER", "DROP", "RENAME", "ATTACH", "DETACH", "ROLLBACK", "SET", "RESET", "DISCARD", "DO",
        "CALL", "IMPORT",
    ];
    // A SELECT that keeps its rows has made a table of them: `CREATE TABLE … AS`, `SELECT … INTO`.
    let makes_table = verb.eq_ignore_ascii_case("SELECT") && !returns_rows;
    makes_table || VERBS.iter().any(|one| one.eq_ignore_ascii_case(verb))
}

/// The end of the session that a failure tells. `None`: the session can be asked again.
fn end_of(status: &Status) -> Option<LeaseEnd> {
    let info = status.get_details_error_info()?;
    let fact = |name: &str| info.metadata.get(name).map(String::as_str);
    let has_ended =
        fact("session") == Some("ENDED") || matches!(&*info.reason, "SESSION_ENDED" | "SESSION_NOT_FOUND");
    has_ended.then(|| LeaseEnd {
        cause: fact("cause").unwrap_or_default().to_owned(),
        transaction_lost: fact("transaction") == Some("LOST"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    fn status(reason: &str, metadata: &[(&str, &str)]) -> Status {
        let metadata: HashMap<_, _> =
            metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let details = ErrorDetails::with_error_info(reason, "querybox", metadata);
        Status::with_error_details(Code::Unavailable, "it failed", details)
    }

    #[test]
    fn the_end_of_a_session_is_read_off_a_failure() {
        let lost = [("session", "ENDED"), ("cause", "CONNECTION_LOST"), ("transaction", "LOST")];
        let end = end_of(&status("CONNECTION_LOST", &lost)).unwrap();
        assert_eq!((end.cause.as_str(), end.transaction_lost), ("CONNECTION_LOST", true));
        let idle = end_of(&status("SESSION_ENDED", &[("cause", "IDLE")])).unwrap();
        assert_eq!((idle.cause.as_str(), idle.transaction_lost), ("IDLE", false));
        assert_eq!(end_of(&status("DEADLINE", &[("session", "OPEN")])), None);
        assert_eq!(end_of(&Status::internal("no details")), None);
    }

    #[test]
    fn answers_tell_the_transaction_and_what_changed() {
        let mut seen = Seen::default();
        let summary = |tag: &str, state: TransactionState| {
            Part::Result(ResultPart::Summary(plugin::Summary {
                command_tag: tag.into(),
                transaction_state: state.into(),
                ..plugin::Summary::default()
            }))
        };
        seen.see(&summary("BEGIN", TransactionState::Open));
        assert_eq!((seen.transaction, seen.changed_schema), (TransactionState::Open, false));
        seen.see(&Part::Result(ResultPart::Rejection(plugin::Rejection::default())));
        assert_eq!(seen.transaction, TransactionState::Open);
        seen.see(&summary("CREATE TABLE", TransactionState::Open));
        assert!(seen.changed_schema);
    }

    #[test]
    fn whatever_may_make_names_makes_them_stale() {
        let header = |returns_rows| {
            Part::Result(ResultPart::Header(plugin::Header { returns_rows, ..plugin::Header::default() }))
        };
        let summary = |tag: &str| {
            let command_tag = tag.to_owned();
            Part::Result(ResultPart::Summary(plugin::Summary { command_tag, ..plugin::Summary::default() }))
        };
        let check = |tag: &str, returns_rows: bool, changes: bool| {
            let mut seen = Seen::default();
            seen.see(&header(returns_rows));
            seen.see(&summary(tag));
            assert_eq!((seen.changed_schema, seen.results), (changes, u64::from(returns_rows)), "{tag}");
        };
        check("SELECT 12", true, false);
        check("SELECT 12", false, true);
        for tag in ["DO", "CALL", "IMPORT FOREIGN SCHEMA", "DISCARD ALL", "RESET", "drop table"] {
            check(tag, false, true);
        }
        check("INSERT 0 1", false, false);
        check("COMMIT", false, false);
    }

    #[test]
    fn a_result_that_is_refused_before_its_first_row_was_not_shown() {
        let mut seen = Seen::default();
        let header = plugin::Header { returns_rows: true, ..plugin::Header::default() };
        seen.see(&Part::Result(ResultPart::Header(header.clone())));
        seen.see(&Part::Result(ResultPart::Rejection(plugin::Rejection::default())));
        assert_eq!(seen.results, 0);
        seen.see(&Part::Result(ResultPart::Header(header)));
        seen.see(&Part::Result(ResultPart::Batch(plugin::Batch::default())));
        seen.see(&Part::Result(ResultPart::Batch(plugin::Batch::default())));
        seen.see(&Part::Result(ResultPart::Rejection(plugin::Rejection::default())));
        assert_eq!(seen.results, 1);
    }
}
