//! Where a driver tells what the database holds, and how it is made again.

use prost::Message;
use querybox_contracts::plugin::v1::{self as pb, schema_object::Object};
use tokio::sync::mpsc;
use tonic::Status;

use crate::{Error, Reason, SchemaError};

/// In one message, by the contract.
const COUNT_MAX: usize = 1000;
/// In the first message: a first screen is to show early.
const COUNT_FIRST: usize = 100;
/// A message that has reached this is sent.
const BYTES_ENOUGH: usize = 256 * 1024;
/// One object, or the statements of one: it has to fit into a message with room to spare.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Where the objects of a database go, a parent before what belongs to it.
#[derive(Debug)]
pub struct SchemaObjects {
    messages: Messages<pb::GetSchemaResponse>,
    kinds: Vec<pb::SchemaObjectKind>,
}

impl SchemaObjects {
    pub(crate) fn new(
        tx: mpsc::Sender<Result<pb::GetSchemaResponse, Status>>,
        kinds: Vec<pb::SchemaObjectKind>,
    ) -> Self {
        Self { messages: Messages::new(tx), kinds }
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
    /// [`SchemaError::Stopped`] when nobody listens any more; `LIMIT_REACHED` for an object above 32 MiB.
    pub async fn tell(&mut self, object: Object) -> Result<(), SchemaError> {
        if !self.wants(kind_of(&object)) {
            return Ok(());
        }
        self.messages.add(pb::SchemaObject { object: Some(object) }).await
    }

    /// Sends what was told so far. The last call of a driver, and one before it waits for long.
    ///
    /// # Errors
    ///
    /// [`SchemaError::Stopped`] when nobody listens any more.
    pub async fn flush(&mut self) -> Result<(), SchemaError> {
        self.messages.flush().await
    }
}

fn kind_of(object: &Object) -> pb::SchemaObjectKind {
    match object {
        Object::Schema(_) => pb::SchemaObjectKind::Schema,
        Object::Relation(_) => pb::SchemaObjectKind::Relation,
        Object::Column(_) => pb::SchemaObjectKind::Column,
        Object::Key(_) => pb::SchemaObjectKind::Key,
        Object::Index(_) => pb::SchemaObjectKind::Index,
        Object::Trigger(_) => pb::SchemaObjectKind::Trigger,
        Object::Policy(_) => pb::SchemaObjectKind::Policy,
        Object::Sequence(_) => pb::SchemaObjectKind::Sequence,
        Object::Type(_) => pb::SchemaObjectKind::Type,
        Object::Routine(_) => pb::SchemaObjectKind::Routine,
        Object::Extension(_) => pb::SchemaObjectKind::Extension,
        Object::Role(_) => pb::SchemaObjectKind::Role,
        Object::Database(_) => pb::SchemaObjectKind::Database,
    }
}

/// Where the statements go that make objects again, in the order in which the objects were asked for.
#[derive(Debug)]
pub struct DdlStatements {
    messages: Messages<pb::GetDdlResponse>,
}

impl DdlStatements {
    pub(crate) fn new(tx: mpsc::Sender<Result<pb::GetDdlResponse, Status>>) -> Self {
        Self { messages: Messages::new(tx) }
    }

    /// Tells the statements of one object.
    ///
    /// # Errors
    ///
    /// [`SchemaError::Stopped`] when nobody listens any more; `LIMIT_REACHED` for statements above 32 MiB.
    pub async fn tell(&mut self, ddl: pb::Ddl) -> Result<(), SchemaError> {
        self.messages.add(ddl).await
    }

    /// Sends what was told so far. The last call of a driver.
    ///
    /// # Errors
    ///
    /// [`SchemaError::Stopped`] when nobody listens any more.
    pub async fn flush(&mut self) -> Result<(), SchemaError> {
        self.messages.flush().await
    }
}

/// An answer that is sent in pieces.
trait Piece: Sized {
    type Item: Message;
    fn of(items: Vec<Self::Item>) -> Self;
}

impl Piece for pb::GetSchemaResponse {
    type Item = pb::SchemaObject;
    fn of(objects: Vec<pb::SchemaObject>) -> Self {
        Self { objects, rejection: None }
    }
}

impl Piece for pb::GetDdlResponse {
    type Item = pb::Ddl;
    fn of(ddl: Vec<pb::Ddl>) -> Self {
        Self { ddl, rejection: None }
    }
}

/// Gathers items into messages.
#[derive(Debug)]
struct Messages<P: Piece> {
    tx: mpsc::Sender<Result<P, Status>>,
    waiting: Vec<P::Item>,
    bytes: usize,
    count_max: usize,
}

impl<P: Piece> Messages<P> {
    fn new(tx: mpsc::Sender<Result<P, Status>>) -> Self {
        Self { tx, waiting: Vec::new(), bytes: 0, count_max: COUNT_FIRST }
    }

    async fn add(&mut self, item: P::Item) -> Result<(), SchemaError> {
        let bytes = item.encoded_len();
        if bytes > BYTES_MAX {
            let message = format!("one object of the catalog takes {bytes} bytes");
            return Err(Error::new(Reason::LimitReached, message).into());
        }
        self.bytes += bytes;
        self.waiting.push(item);
        if self.waiting.len() >= self.count_max || self.bytes >= BYTES_ENOUGH {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), SchemaError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let items = std::mem::take(&mut self.waiting);
        (self.bytes, self.count_max) = (0, COUNT_MAX);
        self.tx.send(Ok(P::of(items))).await.map_err(|_| SchemaError::Stopped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(name: String) -> Object {
        Object::Schema(pb::Schema { name, ..pb::Schema::default() })
    }

    async fn sizes(names: Vec<String>) -> Vec<usize> {
        let (tx, mut rx) = mpsc::channel(100);
        let mut objects = SchemaObjects::new(tx, Vec::new());
        for name in names {
            objects.tell(schema(name)).await.unwrap();
        }
        objects.flush().await.unwrap();
        drop(objects);
        let mut sizes = Vec::new();
        while let Some(message) = rx.recv().await {
            sizes.push(message.unwrap().objects.len());
        }
        sizes
    }

    #[tokio::test]
    async fn a_message_is_cut_by_count_and_by_bytes() {
        let small = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(sizes(small(2150)).await, [100, 1000, 1000, 50]);
        let large = vec!["x".repeat(100 * 1024); 7];
        assert_eq!(sizes(large).await, [3, 3, 1]);
    }

    #[tokio::test]
    async fn an_object_that_fits_into_no_message_is_told_as_a_limit() {
        let (tx, _rx) = mpsc::channel(1);
        let mut objects = SchemaObjects::new(tx, Vec::new());
        let error = objects.tell(schema("x".repeat(BYTES_MAX + 1))).await.unwrap_err();
        assert!(matches!(error, SchemaError::Failed(_)), "{error}");
    }
}
