//! The SDK for authors of QueryBox drivers.
//!
//! A driver is an executable for one kind of database: QueryBox starts it confined, gives it one session's parameters and
//! secrets and one script at a time, and it streams back rows as Arrow record batches. [`serve_cli`] is its whole `main`;
//! [`Driver`] and [`Session`] are what an author writes. The contract behind it is `contracts/plugin/v1/plugin.proto`.
//!
//! Here is a whole driver, of a database whose every statement answers with its own words:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use querybox_plugin::{
//!     Column, ColumnKind, Done, Driver, Error, ExecuteError, Open, OpenError, Query, Results, SchemaError,
//!     SchemaObjects, Session, Stages, TextKind, pb,
//! };
//!
//! struct Echo;
//! struct EchoSession;
//!
//! impl Driver for Echo {
//!     type Session = EchoSession;
//!
//!     fn info(&self) -> pb::PluginInfo {
//!         pb::PluginInfo {
//!             name: "Echo".into(),
//!             driver_type: "echo".into(),
//!             version: env!("CARGO_PKG_VERSION").into(),
//!             contract_version: querybox_plugin::CONTRACT_VERSION,
//!             capabilities: vec![pb::Capability::Cancel.into()],
//!             network_need: pb::NetworkNeed::None.into(),
//!             file_need: pb::FileNeed::None.into(),
//!             ..pb::PluginInfo::default()
//!         }
//!     }
//!
//!     async fn open(&self, _open: Open) -> Result<EchoSession, OpenError> {
//!         Ok(EchoSession)
//!     }
//!
//!     async fn test(&self, _open: Open, stages: &mut Stages) -> Result<pb::ServerFacts, OpenError> {
//!         stages.begin(pb::TestStage::Dial);
//!         stages.passed("always there").await;
//!         Ok(EchoSession.server())
//!     }
//! }
//!
//! impl Session for EchoSession {
//!     fn server(&self) -> pb::ServerFacts {
//!         pb::ServerFacts { product: "Echo".into(), version: "1".into(), ..pb::ServerFacts::default() }
//!     }
//!
//!     async fn execute(&self, query: Query, mut results: Results) -> Result<(), ExecuteError> {
//!         let column = Column {
//!             name: "echo".into(),
//!             database_type: "text".into(),
//!             kind: ColumnKind::Text(TextKind::Text),
//!             origin_id: String::new(),
//!         };
//!         let statement = results.statement(0..query.sql.len());
//!         let mut rows = statement.rows(&[column]).await?;
//!         for word in query.sql.split_whitespace() {
//!             if query.cancelled.is_cancelled() || !rows.begin_row() {
//!                 break;
//!             }
//!             rows.text(word);
//!             if rows.end_row() {
//!                 rows.flush().await?;
//!             }
//!         }
//!         let transaction_state = pb::TransactionState::Unspecified;
//!         rows.finish(Done { affected_rows: None, command_tag: "ECHO".into(), transaction_state }).await
//!     }
//!
//!     async fn schema(&self, _: pb::GetSchemaRequest, _: SchemaObjects) -> Result<(), SchemaError> {
//!         Err(Error::unsupported("an echo has no schema").into())
//!     }
//!
//!     async fn cancel(&self) -> Result<(), Error> {
//!         Ok(()) // `query.cancelled` is looked at before each row.
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     querybox_plugin::serve_cli(Echo)
//! }
//! ```
//!
//! Must not know: Core, connections that are kept, how a value looks on a screen.

mod builder;
mod cli;
mod column;
mod copy_input;
mod dial;
mod driver;
mod error;
mod exec;
mod form;
mod record_batch;
mod results;
mod rows;
mod schema_objects;
mod serve;
mod service;
mod session_events;
mod stages;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use querybox_contracts::plugin::v1 as pb;

pub use cli::serve_cli;
pub use column::{Column, ColumnKind, TextKind};
pub use copy_input::{CopyInput, CopyPiece};
pub use dial::{Endpoint, Stream, dial, dial_resolved, resolve};
pub use driver::{DetachedCancel, Driver, OnError, Open, Query, SchemaError, Session};
pub use error::{ERROR_DOMAIN, Error, ExecuteError, OpenError, Reason};
pub use form::{Credential, Parameters};
pub use results::{Done, Results, Rows, Statement};
pub use schema_objects::{DdlStatements, SchemaObjects};
pub use session_events::SessionEvents;
pub use stages::Stages;

/// The major version of the plugin contract that this SDK speaks.
pub const CONTRACT_VERSION: u32 = 1;
