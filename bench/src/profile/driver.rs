//! The PostgreSQL driver, and its figures as the answer to a script.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use querybox_driver_postgres::Postgres;
use querybox_plugin::{
    Column, ColumnKind, DdlStatements, DetachedCancel, Done, Driver, Error, ExecuteError, Open, OpenError,
    Query, Results, SchemaError, SchemaObjects, Session, SessionEvents, Stages, TextKind, pb,
};

use super::{Begun, Collector, FIGURES};

/// The driver that also tells what it came to.
pub struct Profiled(pub Collector);

/// A session of it.
pub struct ProfiledSession {
    session: <Postgres as Driver>::Session,
    collector: Collector,
    begun: Mutex<Begun>,
}

impl Driver for Profiled {
    type Session = ProfiledSession;

    fn info(&self) -> pb::PluginInfo {
        Postgres.info()
    }

    async fn open(&self, open: Open) -> Result<ProfiledSession, OpenError> {
        let session = Postgres.open(open).await?;
        Ok(ProfiledSession { session, collector: self.0.clone(), begun: Mutex::new(Begun::now()) })
    }

    async fn test(&self, open: Open, stages: &mut Stages) -> Result<pb::ServerFacts, OpenError> {
        Postgres.test(open, stages).await
    }

    async fn cancel_detached(&self, cancel: DetachedCancel) -> Result<(), Error> {
        Postgres.cancel_detached(cancel).await
    }
}

impl Session for ProfiledSession {
    fn server(&self) -> pb::ServerFacts {
        self.session.server()
    }

    fn cancel_token(&self) -> Bytes {
        self.session.cancel_token()
    }

    async fn execute(&self, query: Query, mut results: Results) -> Result<(), ExecuteError> {
        if query.sql != FIGURES {
            return self.session.execute(query, results).await;
        }
        let told = {
            let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
            let told = begun.told(&self.collector);
            *begun = Begun::now();
            told
        };
        let column = Column {
            name: "figures".to_owned(),
            database_type: "text".to_owned(),
            kind: ColumnKind::Text(TextKind::Text),
            origin_id: String::new(),
        };
        let mut rows = results.statement(0..query.sql.len()).rows(&[column]).await?;
        if rows.begin_row() {
            rows.text(&serde_json::to_string(&told).expect("figures have no map with odd keys"));
            // One row is a batch of its own at the end.
            let _ = rows.end_row();
        }
        let transaction_state = pb::TransactionState::Unspecified;
        rows.finish(Done { affected_rows: None, command_tag: "FIGURES".to_owned(), transaction_state }).await
    }

    async fn schema(&self, filter: pb::GetSchemaRequest, objects: SchemaObjects) -> Result<(), SchemaError> {
        self.session.schema(filter, objects).await
    }

    async fn ddl(&self, objects: Vec<pb::ObjectRef>, statements: DdlStatements) -> Result<(), SchemaError> {
        self.session.ddl(objects, statements).await
    }

    async fn watch(&self, events: SessionEvents) {
        self.session.watch(events).await;
    }

    async fn cancel(&self) -> Result<(), Error> {
        self.session.cancel().await
    }
}
