//! Asking what a database holds.

use std::future::Future;

use querybox_launcher::{CallError, OpenDriver, SchemaOrder, SchemaPart, SchemaParts};
use querybox_store::Deadline;
use querybox_vault::Secret;

use crate::{
    Core,
    session::{Answer, Answers, Kind, SessionError, SessionId, StatementLimits, Tally, Target, Work},
};

/// Asks what the database of a connection holds, as one session.
#[derive(Debug)]
pub struct SchemaRequest {
    pub session_id: SessionId,
    pub target: Target,
    /// By the names of their fields. Moved to the driver's socket and wiped.
    pub secrets: Vec<(String, Secret)>,
    pub filter: SchemaOrder,
}

impl Core {
    /// Streams what a database holds. The time a connection allows its requests holds here too. Dropping the stream ends the
    /// driver.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    pub async fn schema(&self, request: SchemaRequest) -> Result<Answers<SchemaPart>, SessionError> {
        let SchemaRequest { session_id, target, secrets, filter } = request;
        let beginning = self.begin(session_id, Kind::OneShot, Deadline::Default)?;
        let prepared = beginning.prepare(self, target, secrets).await?;
        beginning.spawn(self, prepared, Catalog(filter), StatementLimits::default())
    }
}

/// A look at the catalog that is to be taken.
pub(crate) struct Catalog(pub(crate) SchemaOrder);

impl Work for Catalog {
    type Part = SchemaPart;
    type Parts = SchemaParts;

    fn begin(self, driver: &OpenDriver) -> impl Future<Output = Result<SchemaParts, CallError>> + Send {
        driver.schema(self.0)
    }

    fn next(parts: &mut SchemaParts) -> impl Future<Output = Result<Option<SchemaPart>, CallError>> + Send {
        parts.next()
    }
}

impl Answer for SchemaPart {
    fn count(&self, tally: &mut Tally) -> Result<(), querybox_launcher::BrokenContract> {
        tally.objects(self.wire.objects.len(), self.rejection.as_ref());
        Ok(())
    }

    fn is_rejection(&self) -> bool {
        self.rejection.is_some()
    }

    fn bytes(&self) -> u64 {
        // A guess at an object's names, good enough for the bound that it serves.
        const OBJECT_BYTES: u64 = 256;
        self.wire.objects.len() as u64 * OBJECT_BYTES
    }
}
