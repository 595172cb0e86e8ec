//! Keeps what a person sets up and what has run: connections with their settings, sealed credentials, drafts, and
//! the history of runs.
//!
//! One SQLite file in WAL mode. Writes that a person waits for go through one thread with `synchronous=FULL`: what was
//! answered survives a power cut. Last-access times and the history ([`Store::touch`], [`Store::record_run`]) are written
//! after the answer, with `synchronous=NORMAL`, and never delay it.
//!
//! This crate must **not** know secrets: it keeps where one lies ([`SecretPlace`], [`Credential`]) and sealed bytes that it
//! cannot open, never a secret or a key itself. It knows no
//! driver's parameters, reads no environment and no clock: times are given by the caller.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use jiff::Timestamp;
//! use querybox_store::{
//!     ConnectionSettings, Deadline, Environment, Folder, HistoryLevel, Parameter, SecretPlace, SecretScope, Store,
//! };
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::open(&folder.path().join("store.db")).await?;
//! let settings = ConnectionSettings {
//!     name: "Orders".parse()?,
//!     driver_type: "postgres".parse()?,
//!     parameters: vec![Parameter { name: "host".into(), value: "db.example.org".into() }],
//!     folder: "work/eu".parse()?,
//!     environment: Environment::Red,
//!     read_only: true,
//!     deadline: Deadline::Default,
//!     rows_max: None,
//!     bytes_max: None,
//!     startup_sql: None,
//!     default_schema: None,
//!     secret_place: SecretPlace::Ask,
//!     secret_scope: SecretScope::Shared,
//!     history: HistoryLevel::Texts,
//! };
//! let created = store.create_connection(settings, Timestamp::now()).await?;
//! assert_eq!(store.connection_named(&"orders".parse()?).await?, created);
//! store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backup;
mod columns;
mod connection;
mod credential;
mod error;
mod history;
mod key;
mod migrate;
mod open;
mod store;
mod text;
mod worker;

pub use connection::{
    Connection, ConnectionId, ConnectionName, ConnectionSettings, Deadline, DriverType, DriverTypeError,
    Environment, Folder, FolderError, NameError, Parameter, SecretPlace, SecretScope,
};
pub use credential::{Credential, CredentialKey, EntryId, Kept, Owner, OwnerError};
pub use error::Error;
pub use history::{
    HistoryLevel, ListedRun, Outcome, Run, RunChoice, RunCursor, RunCursorError, RunEnd, RunFilter,
    RunLimits, RunText, SealedRun,
};
pub use key::{Key, KeyId, KeyIdError, KeyRecord, KeyState, Registering};
pub use store::{Store, StoreId};
pub use text::{
    DraftKey, DraftLimits, DraftRow, DraftWrite, ForgottenTexts, NewDraft, SealedTextKey, TextKeyUse, Written,
};
