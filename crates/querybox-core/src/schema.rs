//! Asking what a database holds, and how it is made again.

use std::future::Future;

use querybox_launcher::{
    BrokenContract, CallError, CatalogMessage, CatalogPart, DdlOrder, DdlPart, DdlParts, OpenDriver,
    SchemaOrder, SchemaPart, SchemaParts,
};
use querybox_store::Deadline;
use querybox_vault::Secret;

use crate::{
    Core, Verb,
    session::{
        Answer, Answers, Kind, LastWord, SessionError, SessionId, StatementLimits, Tally, Target, Work,
    },
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

/// Asks how objects of the database of a connection are made again, as one session.
#[derive(Debug)]
pub struct DdlRequest {
    pub session_id: SessionId,
    pub target: Target,
    /// By the names of their fields. Moved to the driver's socket and wiped.
    pub secrets: Vec<(String, Secret)>,
    pub order: DdlOrder,
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
        self.look(session_id, Verb::Schema, target, secrets, Catalog(filter)).await
    }

    /// Streams how objects are made again. All else as [`schema`](Self::schema).
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    pub async fn ddl(&self, request: DdlRequest) -> Result<Answers<DdlPart>, SessionError> {
        let DdlRequest { session_id, target, secrets, order } = request;
        self.look(session_id, Verb::Ddl, target, secrets, Definitions(order)).await
    }

    async fn look<W: Work>(
        &self,
        session_id: SessionId,
        verb: Verb,
        target: Target,
        secrets: Vec<(String, Secret)>,
        work: W,
    ) -> Result<Answers<W::Part>, SessionError> {
        let beginning = self.begin(session_id, Kind::OneShot, verb, Deadline::Default)?;
        let prepared = beginning.prepare(self, target, secrets).await?;
        beginning.spawn(self, prepared, work, StatementLimits::default(), None)
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

/// Statements that are to be asked for.
pub(crate) struct Definitions(pub(crate) DdlOrder);

impl Work for Definitions {
    type Part = DdlPart;
    type Parts = DdlParts;

    fn begin(self, driver: &OpenDriver) -> impl Future<Output = Result<DdlParts, CallError>> + Send {
        driver.ddl(self.0)
    }

    fn next(parts: &mut DdlParts) -> impl Future<Output = Result<Option<DdlPart>, CallError>> + Send {
        parts.next()
    }
}

impl<M: CatalogMessage> Answer for CatalogPart<M> {
    fn count(&self, tally: &mut Tally) -> Result<(), BrokenContract> {
        tally.objects(CatalogPart::count(self), self.rejection.as_ref());
        Ok(())
    }

    fn last_word(&self) -> Option<LastWord> {
        self.rejection.as_ref().map(|_| LastWord::Refusal)
    }

    fn bytes(&self) -> u64 {
        CatalogPart::bytes(self)
    }
}
