//! Where a driver tells what the database holds.

use querybox_contracts::plugin::v1::{self as pb, schema_object::Object};
use tokio::sync::mpsc;
use tonic::Status;

use crate::SchemaError;

/// Objects in one message: few enough for a first screen to show early, many enough to spare messages.
const OBJECTS_MAX: usize = 500;

/// Where the objects of a database go, a parent before what belongs to it.
#[derive(Debug)]
pub struct SchemaObjects {
    tx: mpsc::Sender<Result<pb::GetSchemaResponse, Status>>,
    kinds: Vec<pb::SchemaObjectKind>,
    waiting: Vec<pb::SchemaObject>,
}

impl SchemaObjects {
    pub(crate) fn new(
        tx: mpsc::Sender<Result<pb::GetSchemaResponse, Status>>,
        kinds: Vec<pb::SchemaObjectKind>,
    ) -> Self {
        Self { tx, kinds, waiting: Vec::new() }
    }

    /// Whether objects of a kind are asked for, so that a driver need not read others.
    #[must_use]
    pub fn wants(&self, kind: pb::SchemaObjectKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Tells one object. One that is not asked for is left out.
    ///
    /// # Errors
    ///
    /// [`SchemaError::Stopped`] when nobody listens any more.
    pub async fn tell(&mut self, object: Object) -> Result<(), SchemaError> {
        let kind = match &object {
            Object::Schema(_) => pb::SchemaObjectKind::Schema,
            Object::Relation(_) => pb::SchemaObjectKind::Relation,
            Object::Column(_) => pb::SchemaObjectKind::Column,
            Object::Key(_) => pb::SchemaObjectKind::Key,
            Object::Index(_) => pb::SchemaObjectKind::Index,
        };
        if !self.wants(kind) {
            return Ok(());
        }
        self.waiting.push(pb::SchemaObject { object: Some(object) });
        if self.waiting.len() >= OBJECTS_MAX { self.flush().await } else { Ok(()) }
    }

    /// Sends what was told so far. The last call of a driver, and one before it waits for long.
    ///
    /// # Errors
    ///
    /// [`SchemaError::Stopped`] when nobody listens any more.
    pub async fn flush(&mut self) -> Result<(), SchemaError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let objects = std::mem::take(&mut self.waiting);
        self.tx
            .send(Ok(pb::GetSchemaResponse { objects, rejection: None }))
            .await
            .map_err(|_| SchemaError::Stopped)
    }
}
