//! What the database holds, streamed.

use std::sync::Arc;

use querybox_contracts::plugin::v1 as pb;
use tonic::Streaming;

use crate::{
    calls::{
        error::{BrokenContract, CallError},
        failure::explain,
        part::Rejection,
    },
    process::Process,
};

/// Objects that one part may hold, by the contract.
const OBJECTS_MAX: usize = 1000;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaOrder {
    /// Only objects of these schemas. Empty: of all.
    pub schemas: Vec<String>,
    /// Only relations of this name. None: all.
    pub relation: Option<String>,
    /// Only these kinds. Empty: all.
    pub kinds: Vec<SchemaKind>,
    /// Whether the database's own catalog is included.
    pub include_system: bool,
}

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaKind {
    /// Schemas.
    Schema,
    /// Tables, views and the like.
    Relation,
    /// Columns of relations.
    Column,
    /// Keys and constraints.
    Key,
    /// Indexes.
    Index,
}

/// Some of the objects.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaPart {
    /// The message as the driver sent it: at most 1,000 objects, none without content.
    pub wire: pb::GetSchemaResponse,
    /// The database refused to tell more. Nothing follows then.
    pub rejection: Option<Rejection>,
}

/// The running answer. Dropping it stops it; it keeps the process, too, until then.
pub struct SchemaParts {
    stream: Streaming<pb::GetSchemaResponse>,
    process: Arc<Process>,
    state: State,
}

enum State {
    Telling,
    /// A rejection came.
    Rejected,
    Done,
}

impl SchemaParts {
    pub(crate) fn new(stream: Streaming<pb::GetSchemaResponse>, process: Arc<Process>) -> Self {
        Self { stream, process, state: State::Telling }
    }

    /// The next part; None after the last.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. Nothing follows an error.
    pub async fn next(&mut self) -> Result<Option<SchemaPart>, CallError> {
        let broken = |what, process: &Process| Err(BrokenContract::new(what).found_in(process));
        let message = match self.state {
            State::Done => return Ok(None),
            State::Telling | State::Rejected => self.stream.message().await,
        };
        let was_rejected = matches!(std::mem::replace(&mut self.state, State::Done), State::Rejected);
        match message {
            Err(status) => Err(explain(&self.process, status).await),
            Ok(None) => Ok(None),
            Ok(Some(_)) if was_rejected => broken("a part after the last one", &self.process),
            Ok(Some(wire)) if wire.objects.len() > OBJECTS_MAX => {
                broken("more objects than a part may hold", &self.process)
            }
            Ok(Some(wire)) if wire.objects.iter().any(|object| object.object.is_none()) => {
                broken("an object without content", &self.process)
            }
            Ok(Some(wire)) => {
                let rejection = wire.rejection.clone().map(Rejection::from);
                self.state = if rejection.is_some() { State::Rejected } else { State::Telling };
                Ok(Some(SchemaPart { wire, rejection }))
            }
        }
    }
}

impl SchemaOrder {
    pub(crate) fn into_request(self, session_id: String) -> pb::GetSchemaRequest {
        let kind = |kind: SchemaKind| match kind {
            SchemaKind::Schema => pb::SchemaObjectKind::Schema,
            SchemaKind::Relation => pb::SchemaObjectKind::Relation,
            SchemaKind::Column => pb::SchemaObjectKind::Column,
            SchemaKind::Key => pb::SchemaObjectKind::Key,
            SchemaKind::Index => pb::SchemaObjectKind::Index,
        };
        pb::GetSchemaRequest {
            session_id,
            schemas: self.schemas,
            relation: self.relation.unwrap_or_default(),
            kinds: self.kinds.into_iter().map(|wanted| kind(wanted).into()).collect(),
            include_system: self.include_system,
        }
    }
}
