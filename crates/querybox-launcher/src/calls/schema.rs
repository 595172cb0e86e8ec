//! What the database holds and how it is made again, streamed.

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaOrder {
    /// Only objects of these schemas. Empty: of all.
    pub schemas: Vec<String>,
    /// Only what has this name. None: everything.
    pub name: Option<String>,
    /// Only what has a name like this. None: everything.
    pub name_pattern: Option<String>,
    /// Only these kinds. Empty: all.
    pub kinds: Vec<SchemaKind>,
    /// Whether the database's own catalog is included.
    pub include_system: bool,
    /// Whether sizes on disk are looked up.
    pub include_sizes: bool,
}

/// Objects whose statements are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DdlOrder {
    /// 1 to 1,000.
    pub objects: Vec<ObjectName>,
}

/// Names one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// None: whatever has the name.
    pub kind: Option<SchemaKind>,
    /// Empty: where unqualified names are looked up.
    pub schema: String,
    /// What it belongs to. Empty: to no relation.
    pub relation: String,
    pub name: String,
    /// What tells a routine from others of its name. None: all of them.
    pub arguments: Option<String>,
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
    /// Triggers of relations.
    Trigger,
    /// Row-level security policies.
    Policy,
    /// Sequences.
    Sequence,
    /// Types that somebody made.
    Type,
    /// Functions, procedures and aggregates.
    Routine,
    /// Extensions.
    Extension,
    /// Roles of the server.
    Role,
    /// Databases of the server.
    Database,
}

/// Some of the answers.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogPart<M> {
    /// The message as the driver sent it, checked: at most 1,000 objects, none without content.
    pub wire: M,
    /// The database refused to tell more. Nothing follows then.
    pub rejection: Option<Rejection>,
}

/// Some of the objects.
pub type SchemaPart = CatalogPart<pb::GetSchemaResponse>;
/// Some of the statements.
pub type DdlPart = CatalogPart<pb::GetDdlResponse>;

/// The running answer. Dropping it stops it; it keeps the process, too, until then.
pub struct CatalogParts<M> {
    stream: Streaming<M>,
    process: Arc<Process>,
    state: State,
}

/// The running answer to a look at the catalog.
pub type SchemaParts = CatalogParts<pb::GetSchemaResponse>;
/// The running answer to a wish for statements.
pub type DdlParts = CatalogParts<pb::GetDdlResponse>;

enum State {
    Telling,
    /// A rejection came.
    Rejected,
    Done,
}

/// A message about objects.
pub trait CatalogMessage: Send + 'static {
    /// How many.
    fn count(&self) -> usize;
    /// Of how many bytes, about.
    fn bytes(&self) -> u64;
    /// Why the database does not tell more.
    fn rejection(&self) -> Option<&pb::Rejection>;
    /// Whether each of them has content.
    fn is_whole(&self) -> bool;
}

impl CatalogMessage for pb::GetSchemaResponse {
    fn count(&self) -> usize {
        self.objects.len()
    }

    fn bytes(&self) -> u64 {
        // A guess at an object's names, good enough for the bound that it serves.
        const OBJECT_BYTES: u64 = 256;
        self.objects.len() as u64 * OBJECT_BYTES
    }

    fn rejection(&self) -> Option<&pb::Rejection> {
        self.rejection.as_ref()
    }

    fn is_whole(&self) -> bool {
        self.objects.iter().all(|object| object.object.is_some())
    }
}

impl CatalogMessage for pb::GetDdlResponse {
    fn count(&self) -> usize {
        self.ddl.len()
    }

    fn bytes(&self) -> u64 {
        self.ddl.iter().map(|ddl| (ddl.sql.len() + ddl.ties_sql.len()) as u64).sum()
    }

    fn rejection(&self) -> Option<&pb::Rejection> {
        self.rejection.as_ref()
    }

    fn is_whole(&self) -> bool {
        self.ddl.iter().all(|ddl| ddl.found.is_some())
    }
}

impl<M: CatalogMessage> CatalogPart<M> {
    /// How many objects it is about.
    pub fn count(&self) -> usize {
        self.wire.count()
    }

    /// Of how many bytes it is, about.
    pub fn bytes(&self) -> u64 {
        self.wire.bytes()
    }
}

impl<M: CatalogMessage> CatalogParts<M> {
    pub(crate) fn new(stream: Streaming<M>, process: Arc<Process>) -> Self {
        Self { stream, process, state: State::Telling }
    }

    /// The next part; None after the last.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. Nothing follows an error.
    pub async fn next(&mut self) -> Result<Option<CatalogPart<M>>, CallError> {
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
            Ok(Some(wire)) if wire.count() > OBJECTS_MAX => {
                broken("more objects than a part may hold", &self.process)
            }
            Ok(Some(wire)) if !wire.is_whole() => broken("an object without content", &self.process),
            Ok(Some(wire)) => {
                let rejection = wire.rejection().cloned().map(Rejection::from);
                self.state = if rejection.is_some() { State::Rejected } else { State::Telling };
                Ok(Some(CatalogPart { wire, rejection }))
            }
        }
    }
}

impl SchemaOrder {
    pub(crate) fn into_request(self, session_id: String) -> pb::GetSchemaRequest {
        pb::GetSchemaRequest {
            session_id,
            schemas: self.schemas,
            name: self.name.unwrap_or_default(),
            name_pattern: self.name_pattern.unwrap_or_default(),
            kinds: self.kinds.into_iter().map(|wanted| wanted.wire().into()).collect(),
            include_system: self.include_system,
            include_sizes: self.include_sizes,
        }
    }
}

impl DdlOrder {
    pub(crate) fn into_request(self, session_id: String) -> pb::GetDdlRequest {
        let object = |object: ObjectName| pb::ObjectRef {
            kind: object.kind.map_or(pb::SchemaObjectKind::Unspecified, SchemaKind::wire).into(),
            schema: object.schema,
            relation: object.relation,
            name: object.name,
            arguments: object.arguments,
        };
        pb::GetDdlRequest { session_id, objects: self.objects.into_iter().map(object).collect() }
    }
}

impl SchemaKind {
    fn wire(self) -> pb::SchemaObjectKind {
        match self {
            Self::Schema => pb::SchemaObjectKind::Schema,
            Self::Relation => pb::SchemaObjectKind::Relation,
            Self::Column => pb::SchemaObjectKind::Column,
            Self::Key => pb::SchemaObjectKind::Key,
            Self::Index => pb::SchemaObjectKind::Index,
            Self::Trigger => pb::SchemaObjectKind::Trigger,
            Self::Policy => pb::SchemaObjectKind::Policy,
            Self::Sequence => pb::SchemaObjectKind::Sequence,
            Self::Type => pb::SchemaObjectKind::Type,
            Self::Routine => pb::SchemaObjectKind::Routine,
            Self::Extension => pb::SchemaObjectKind::Extension,
            Self::Role => pb::SchemaObjectKind::Role,
            Self::Database => pb::SchemaObjectKind::Database,
        }
    }
}
