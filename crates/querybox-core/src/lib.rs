//! Core's use cases: connections, plugins, sessions.
//!
//! - [`Core`]: what it is made of ([`Config`], [`Limits`], [`Clock`]), and how it ends.
//! - Connections are kept by [`Core::create_connection`] and its neighbors; [`Core::parse_url`] reads a URL into one.
//! - Secrets are kept by [`Core::set_credential`] and its neighbors, moved by [`Core::migrate_credentials`], sealed anew by
//!   [`Core::rotate_keys`].
//! - [`Core::observe`] tells whoever counts it, or writes it down, of what happens.
//! - Plugins are found by [`Core::plugins`].
//! - Sessions run by [`Core::execute`], [`Core::schema`], [`Core::ddl`] and [`Core::test_connection`], each a stream that *is* the session;
//!   [`Core::cancel_session`] stops one and tells how it went, [`Core::session_facts`] tells which there are.
//! - Leased sessions keep their driver over many requests: [`Core::open_session`], [`Core::execute_in_session`],
//!   [`Core::schema_in_session`], [`Core::ddl_in_session`], [`Core::close_session`]. What happens to them meanwhile [`Core::watch_events`] tells.
//! - [`Core::run`] keeps what comes of a script, whoever asked and whether he is still there: [`Core::attach_result`] finds it
//!   again, [`Core::read_rows`] reads it at any place, [`Core::make_view`] makes other rows of its rows, [`Core::export`] writes
//!   them, [`Core::make_download`] lets a browser have that, [`Core::drop_result`] forgets it.
//! - [`Core::save_draft`] and its neighbors keep what people type.
//! - [`Core::runs`] and its neighbors tell what ran, [`Core::delete_runs`] forgets it. [`Core::forget_texts`] forgets what nobody can open.
//! - [`Core::split_script`] tells an editor where statements lie, and [`Core::format_script`] lays them out.
//!
//! Must not know: any database's protocol, protobuf beyond what passes through, a user interface, environment variables,
//! configuration files. It never looks inside a batch, and never sends a statement twice.

mod clock;
mod connections;
mod core;
mod credentials;
mod drafts;
mod events;
mod execution;
mod form;
mod happening;
mod history;
mod leases;
mod plugins;
mod query_text;
mod results;
mod schema;
mod script;
mod session;
mod test_connection;
mod texts;
mod url;

pub use querybox_launcher::{
    BrokenContract, CallError, Cause, Ending, EndingCounts, StartError, TransactionState,
};
pub use querybox_launcher::{
    CopyEnd, CopyOutcome, CopyPiece, DdlOrder, DdlPart, Described, Fact, Launcher, Notification, ObjectName,
    OnError, Part, Reason, Rejection, SchemaKind, SchemaOrder, SchemaPart, ServerFacts, SpareCounts,
    StageOutcome, TestPart,
};
pub use querybox_results::{
    CellPart, Limit as KeepLimit, Limits as KeepLimits, RawBatch, Shape, State as CellState, StatementState,
    Used as ResultsUsed, Window,
};
pub use querybox_sql::StatementKind;
pub use querybox_store::{
    Connection, ConnectionId, ConnectionName, ConnectionSettings, Credential, CredentialKey, Deadline,
    DriverType, Environment, Folder, ForgottenTexts, HistoryLevel, Kept, Key, KeyId, KeyRecord, KeyState,
    Outcome, Owner, Parameter, Registering, Run as PastRun, RunChoice, RunCursor, RunCursorError, RunEnd,
    SecretPlace, SecretScope, Store, TextKeyUse,
};
pub use querybox_vault::{KeyringEntry, KeyringError, KeysetError, OsKeyring, Secret, Token};

pub use crate::{
    clock::Clock,
    connections::{ConnectionError, ConnectionKey, NoPlugin, ParsedUrl, Updated, to_saved},
    core::{Config, Core, Limits, ShuttingDown},
    credentials::{
        CredentialError, Forgotten, KeyError, KeyListing, KeySource, KeySourceError, KeyringPort, Migrated,
        MigrationOutcome, NewSecret, RotationFailure, RotationReport, RotationStep, SecretPlaces, Secrets,
        StoredPlace, VaultError, local_user,
    },
    drafts::{
        DRAFT_STATE_BYTES_MAX, DRAFT_TEXT_BYTES_MAX, DRAFT_TITLE_CHARS_MAX, Draft, DraftChange, DraftContent,
        DraftError, DraftHead, DraftId, DraftIdError, DraftKind, DraftListing,
    },
    events::{FrontEndEvent, KeptId, WatchError},
    execution::{ExecuteOptions, ExecuteRequest},
    form::{Given, GivenValue, ParameterError, ParameterProblem},
    happening::{
        DriverStart, Happening, KeyringOperation, KeyringOutcome, Request, RequestEnd, VaultOperation,
        VaultOutcome, Verb,
    },
    history::{
        HistoryError, HistorySettings, PastText, RUN_TEXT_BYTES_MAX, RUN_TEXT_START_CHARS, RunEntry,
        RunListing, RunsAsk,
    },
    leases::{LeaseOutcome, LeaseRequest, Leased},
    plugins::{Listing, Plugin, PluginError, PluginState},
    query_text::QueryText,
    results::{
        CellAsk, Download, DownloadAsk, DownloadEnded, DropCause, ExportPart, ExportParts, Place, Reading,
        ResultError, ResultFacts, ResultSettings, ResultSummary, RowCount, RowsAsk, RowsRead, RunError,
        RunFailure, RunPlace, RunProgress, RunRequest, RunState, StatementFacts, StatementFailure,
        StatisticsPart, ViewAsk, ViewFacts, ViewOrder, ViewState,
    },
    schema::{DdlRequest, SchemaRequest},
    script::{
        FormatAsk, FormattedScript, ScriptAsk, ScriptOutline, ScriptParameter, ScriptPlace, ScriptSpan,
        ScriptStatement, TextPlace,
    },
    session::{
        Answers, Cancelled, EndCause, Ended, Event, Extension, FrontEndId, FrontEndIdError, LeaseError,
        Opened, Receipt, SessionAbout, SessionActivity, SessionEnd, SessionError, SessionFacts, SessionId,
        SessionIdError, SessionKind, Target, Unsaved,
    },
    test_connection::{TestRequest, TestStep},
    texts::{TextKeeping, TextStorage},
    url::UrlError,
};
