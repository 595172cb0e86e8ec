//! A logged-in connection: what the server said of itself, and where the exchange stands.

mod output;
mod stop;

use std::{collections::HashMap, sync::Arc};

use postgres_protocol::message::backend;
use querybox_plugin::{Error, OpenError, pb};
use tokio::time::Instant;

use crate::{
    cancel::Patience,
    copy,
    message::{Field, parse_fields, parse_texts},
    notifications::{self, Outbox},
    rejection::{Refusal, notice},
    savepoint::Savepoints,
    settings::{Looks, Reported},
    wire::{Head, Wire},
};

/// Names of types that were asked for; more are asked for again.
const TYPE_NAMES_MAX: usize = 10_000;

/// What the server said, one message at a time.
pub(crate) enum Answer {
    /// A row of a result, or a piece of a COPY: still in the buffer, for [`Wire::body`] and [`Wire::consume`].
    Row(Head),
    CopyData(Head),
    Fields(Vec<Field>),
    Notice(pb::Notice),
    Refused(Refusal),
    /// The answer to a Sync or a simple query is whole.
    Ready,
    Other(backend::Message),
}

/// A connection that somebody is logged in to.
pub(crate) struct Connection {
    pub(crate) wire: Wire,
    pub(crate) reported: Reported,
    pub(crate) looks: Looks,
    pub(crate) type_names: TypeNames,
    /// The server has refused to tell facts of columns.
    pub(crate) refuses_facts: bool,
    pub(crate) savepoints: Savepoints,
    pub(crate) transaction: pb::TransactionState,
    /// Messages were sent since the last Sync, so that the server would wait for one after an error.
    pub(crate) is_unsynced: bool,
    /// Syncs and simple queries whose [`Answer::Ready`] is still to come.
    pub(crate) readies_awaited: u32,
    /// What the open transaction was begun around, when the driver began it.
    pub(crate) frame: Frame,
    /// What the user may do.
    pub(crate) access: Access,
    /// The server has ended the session: nothing can be sent any more.
    pub(crate) is_over: bool,
    /// The server waits for the data of a COPY.
    pub(crate) is_copying_in: bool,
    /// What the session is notified of goes here.
    pub(crate) notifications: Arc<Outbox>,
    /// Settings of the session that are the driver's or of the connection's options. The server does not know them for
    /// defaults, so that a RESET would take them away.
    pub(crate) defaults: Vec<String>,
    /// When a cancelled statement that still runs is asked again to stop.
    cancel_again_at: Option<Instant>,
    patience: Patience,
}

/// Whose the open transaction is, and what it is to end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The user's, when there is one.
    None,
    /// The driver's around one statement of a read-only session; the user does not see it.
    Statement,
    /// The driver's around a script.
    Script,
}

/// What the user of a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadOnly,
}

/// Types that are not built in, by object id and modifier.
#[derive(Debug, Default)]
pub(crate) struct TypeNames {
    names: HashMap<(u32, i32), String>,
}

impl TypeNames {
    pub(crate) fn get(&self, type_oid: u32, modifier: i32) -> Option<&str> {
        self.names.get(&(type_oid, modifier)).map(String::as_str)
    }

    pub(crate) fn add(&mut self, type_oid: u32, modifier: i32, name: String) {
        if self.names.len() >= TYPE_NAMES_MAX {
            self.names.clear();
        }
        self.names.insert((type_oid, modifier), name);
    }
}

impl Connection {
    pub(crate) fn new(wire: Wire, reported: Reported, access: Access) -> Self {
        Self {
            wire,
            reported,
            looks: Looks::Stale,
            type_names: TypeNames::default(),
            refuses_facts: false,
            savepoints: Savepoints::Unknown,
            transaction: pb::TransactionState::Idle,
            is_unsynced: false,
            readies_awaited: 0,
            frame: Frame::None,
            access,
            is_over: false,
            is_copying_in: false,
            notifications: Arc::default(),
            defaults: Vec::new(),
            cancel_again_at: None,
            patience: Patience::new(),
        }
    }

    /// The next message, when it is in the buffer; none when [`Wire::fill`] has to come first.
    pub(crate) fn next(&mut self) -> Result<Option<Answer>, Error> {
        loop {
            let Some(head) = self.wire.head()? else { return Ok(None) };
            let answer = match head.tag {
                backend::DATA_ROW_TAG => Answer::Row(head),
                backend::NOTIFICATION_RESPONSE_TAG => {
                    self.notified(head)?;
                    continue;
                }
                backend::COPY_DATA_TAG => Answer::CopyData(head),
                backend::ROW_DESCRIPTION_TAG => {
                    let fields = parse_fields(self.wire.body(head), self.reported.encoding())?;
                    self.wire.consume(head);
                    Answer::Fields(fields)
                }
                _ => match self.wire.message(head)? {
                    backend::Message::ParameterStatus(status) => {
                        self.report(&status)?;
                        continue;
                    }
                    backend::Message::NoticeResponse(body) => Answer::Notice(notice(&body)?),
                    backend::Message::ErrorResponse(body) => {
                        let refusal = Refusal::parse(&body)?;
                        self.is_over |= refusal.is_fatal();
                        Answer::Refused(refusal)
                    }
                    backend::Message::ReadyForQuery(ready) => {
                        self.transaction = transaction_state(ready.status())?;
                        self.readies_awaited =
                            self.readies_awaited.checked_sub(1).ok_or_else(out_of_order)?;
                        Answer::Ready
                    }
                    message => Answer::Other(message),
                },
            };
            return Ok(Some(answer));
        }
    }

    fn report(&mut self, status: &backend::ParameterStatusBody) -> Result<(), Error> {
        let malformed = |_| Error::protocol("a setting that the server reports is no text");
        self.reported.report(status.name().map_err(malformed)?, status.value().map_err(malformed)?);
        Ok(())
    }

    fn notified(&mut self, head: Head) -> Result<(), Error> {
        let notification = notifications::parse(self.wire.body(head), self.reported.encoding())?;
        self.wire.consume(head);
        self.notifications.put(notification);
        Ok(())
    }

    /// The next message, waited for.
    pub(crate) async fn answer(&mut self) -> Result<Answer, Error> {
        loop {
            match self.next()? {
                Some(answer) => return Ok(answer),
                None => self.wire.fill().await?,
            }
        }
    }

    /// Hears what the server says while nothing runs: notifications, and settings that change. Whatever else it says is left
    /// to the next statement, and is the end of listening. Cancel-safe.
    pub(crate) async fn listen(&mut self) {
        loop {
            match self.wire.head() {
                Ok(Some(head)) if head.tag == backend::NOTIFICATION_RESPONSE_TAG => {
                    if self.notified(head).is_err() {
                        return;
                    }
                }
                Ok(Some(head)) if head.tag == backend::PARAMETER_STATUS_TAG => {
                    let Ok(backend::Message::ParameterStatus(status)) = self.wire.message(head) else {
                        return;
                    };
                    if self.report(&status).is_err() {
                        return;
                    }
                }
                Ok(None) if self.wire.fill().await.is_ok() => {}
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// The transaction as the user sees it.
    pub(crate) fn told_transaction(&self) -> pb::TransactionState {
        match self.frame {
            Frame::Statement => pb::TransactionState::Idle,
            Frame::None | Frame::Script => self.transaction,
        }
    }

    /// Rolls back the driver's transaction, when one is open.
    ///
    /// # Errors
    ///
    /// When it cannot be; the connection is of no use then.
    pub(crate) async fn roll_back_frame(&mut self) -> Result<(), Error> {
        let frame = std::mem::replace(&mut self.frame, Frame::None);
        if frame == Frame::None || self.transaction == pb::TransactionState::Idle {
            return Ok(());
        }
        // A cancel request that comes late may hit the first one.
        for _ in 0..2 {
            match self.simple("ROLLBACK").await {
                Ok(_) => return Ok(()),
                Err(OpenError::Failed(error)) => return Err(error),
                Err(OpenError::Rejected(rejection)) if self.is_over => {
                    return Err(Error::lost(rejection.message));
                }
                Err(OpenError::Rejected(_)) => {}
            }
        }
        Err(Error::lost("the server refused to roll back"))
    }

    /// What a statement with this command tag may have changed beyond data.
    pub(crate) async fn after_command(&mut self, command_tag: &str) -> Result<(), Error> {
        let verb = command_tag.split(' ').next().unwrap_or_default();
        let keeps_names = [
            "", "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "FETCH", "BEGIN", "COMMIT",
            "EXPLAIN",
        ];
        if !keeps_names.contains(&verb) {
            self.type_names = TypeNames::default();
        }
        if !matches!(command_tag, "RESET" | "DISCARD ALL") {
            return Ok(());
        }
        for command in self.defaults.clone() {
            match self.simple(&command).await {
                Ok(_) => {}
                Err(OpenError::Rejected(rejection)) if self.is_over => {
                    return Err(Error::lost(rejection.message));
                }
                // It was taken before. The session goes on without it.
                Err(OpenError::Rejected(_)) => {}
                Err(OpenError::Failed(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Runs a statement of the driver's own or of the user's start-up script, forgetting what it returns but for the last
    /// row, whose values are answered as text.
    ///
    /// # Errors
    ///
    /// The server's refusal; the connection is in step then, unless it was fatal.
    pub(crate) async fn simple(&mut self, sql: &str) -> Result<Vec<Option<String>>, OpenError> {
        self.put_simple(sql)?;
        self.wire.send().await?;
        self.simple_answer(sql).await
    }

    /// The answer to the oldest simple query that was sent.
    pub(crate) async fn simple_answer(&mut self, sql: &str) -> Result<Vec<Option<String>>, OpenError> {
        let outstanding = self.readies_awaited;
        let mut row = Vec::new();
        let mut refusal = None;
        loop {
            match self.answer().await? {
                Answer::Ready => {
                    debug_assert!(self.readies_awaited < outstanding, "a Ready answers what was sent");
                    let Some(refusal): Option<Refusal> = refusal else { return Ok(row) };
                    let rejection =
                        refusal.of_statement(sql, self.reported.counting(), self.told_transaction());
                    return Err(OpenError::Rejected(Box::new(rejection)));
                }
                Answer::Row(head) => {
                    row = parse_texts(self.wire.body(head), self.reported.encoding())?;
                    self.wire.consume(head);
                }
                Answer::CopyData(head) => self.wire.consume(head),
                Answer::Refused(refused) if refused.is_fatal() => {
                    return Err(OpenError::Rejected(Box::new(refused.of_log_in())));
                }
                Answer::Refused(refused) => refusal = Some(refused),
                Answer::Other(backend::Message::CopyInResponse(_)) => {
                    copy::refuse_input(self);
                    self.wire.send().await?;
                }
                Answer::Fields(_) | Answer::Notice(_) | Answer::Other(_) => {}
            }
        }
    }
}

fn transaction_state(status: u8) -> Result<pb::TransactionState, Error> {
    match status {
        b'I' => Ok(pb::TransactionState::Idle),
        b'T' => Ok(pb::TransactionState::Open),
        b'E' => Ok(pb::TransactionState::Failed),
        _ => Err(Error::protocol("the server is in a state that the protocol does not have")),
    }
}

/// The server answered something that nobody asked.
pub(crate) fn out_of_order() -> Error {
    Error::protocol("the server's messages are out of order")
}
