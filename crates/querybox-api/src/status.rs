//! Errors as gRPC statuses. Nothing else in Core chooses a status.

mod reason;

use std::{collections::HashMap, error::Error};

use querybox_core::{
    CallError, Cause, ConnectionError, CredentialError, DraftError, EndCause, HistoryError, KeyError,
    KeyringError, KeysetError, LeaseError, ResultError, RunError, SessionEnd, SessionError, SessionIdError,
    UrlError, VaultError, WatchError,
};
use querybox_results::{ExportError, ReadError, ViewError};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

pub(crate) use self::reason::Reason;
use crate::{
    auth::AccessError,
    convert::{InvalidField, cause, drop_cause},
};

/// The domain of each `google.rpc.ErrorInfo` of QueryBox.
const DOMAIN: &str = "querybox";

/// A request that came to nothing.
pub(crate) struct Refused(Box<Status>);

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        *refused.0
    }
}

impl From<InvalidField> for Status {
    fn from(error: InvalidField) -> Self {
        Refused::from(error).into()
    }
}

impl From<InvalidField> for Refused {
    fn from(error: InvalidField) -> Self {
        let field = error.field.to_owned();
        refuse(Reason::ParameterInvalid, &error, [("field", field)])
    }
}

impl From<ConnectionError> for Refused {
    fn from(error: ConnectionError) -> Self {
        match &error {
            ConnectionError::NotFound(_) => refuse(Reason::ConnectionNotFound, &error, []),
            ConnectionError::NameTaken(_) => refuse(Reason::NameTaken, &error, []),
            ConnectionError::Changed(_) => refuse(Reason::ConnectionChanged, &error, []),
            ConnectionError::NoPlugin(plugin) => {
                let driver_type = plugin.0.to_string();
                refuse(Reason::PluginNotFound, &error, [("driver_type", driver_type)])
            }
            ConnectionError::Parameter(parameter) => {
                let field = parameter.name.clone();
                refuse(Reason::ParameterInvalid, &error, [("field", field)])
            }
            ConnectionError::Store(_) => refuse(Reason::StoreFailed, &error, []),
            ConnectionError::ShuttingDown(_) => refuse(Reason::ShuttingDown, &error, []),
        }
    }
}

impl From<CredentialError> for Refused {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Connection(error) => error.into(),
            CredentialError::Vault(error) => error.into(),
            CredentialError::Keyring(error) => error.into(),
            CredentialError::Missing { ref field } => {
                let field = field.clone();
                refuse(Reason::CredentialMissing, &error, [("field", field)])
            }
            CredentialError::DoesNotOpen { ref field, .. } => {
                let field = field.clone();
                refuse(Reason::CredentialDoesNotOpen, &error, [("field", field)])
            }
            CredentialError::Invalid(_) => refuse(Reason::CredentialInvalid, &error, []),
            CredentialError::NoPlace { .. } => refuse(Reason::SecretPlaceMissing, &error, []),
        }
    }
}

impl From<VaultError> for Refused {
    fn from(error: VaultError) -> Self {
        let reason = match &error {
            VaultError::NoSource | VaultError::Keys(KeysetError::Missing { .. }) => Reason::MasterKeyMissing,
            VaultError::Source(_) => Reason::MasterKeyUnreadable,
            VaultError::Keys(KeysetError::Unknown { .. } | KeysetError::PrimaryRetired { .. }) => {
                Reason::MasterKeyWrong
            }
            VaultError::Keys(KeysetError::NothingRegistered) => Reason::KeysNotInitialized,
            VaultError::Store(_) => Reason::StoreFailed,
        };
        refuse(reason, &error, [])
    }
}

impl From<KeyringError> for Refused {
    fn from(error: KeyringError) -> Self {
        let reason = match &error {
            KeyringError::Absent => Reason::KeyringAbsent,
            KeyringError::Locked => Reason::KeyringLocked,
            KeyringError::Denied => Reason::KeyringDenied,
            KeyringError::Silent => Reason::KeyringSilent,
            KeyringError::Failed { .. } => Reason::KeyringFailed,
        };
        refuse(reason, &error, [])
    }
}

impl From<KeyError> for Refused {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Vault(error) => error.into(),
            KeyError::NotFound(_) => refuse(Reason::KeyNotFound, &error, []),
            KeyError::Retired(_) => refuse(Reason::KeyRetired, &error, []),
            KeyError::Initialized => refuse(Reason::KeysInitialized, &error, []),
            KeyError::Used { texts: true, .. } => {
                refuse(Reason::KeysUsed, &error, [("texts", "SEALED".to_owned())])
            }
            KeyError::Used { texts: false, .. } => refuse(Reason::KeysUsed, &error, []),
            KeyError::InUse { .. } => refuse(Reason::KeyInUse, &error, []),
            KeyError::ShuttingDown(_) => refuse(Reason::ShuttingDown, &error, []),
        }
    }
}

impl From<UrlError> for Refused {
    fn from(error: UrlError) -> Self {
        match &error {
            UrlError::NoScheme | UrlError::Malformed(_) | UrlError::NoField(_) | UrlError::Ambiguous(_) => {
                refuse(Reason::ParameterInvalid, &error, [("field", "url".to_owned())])
            }
            UrlError::UnknownScheme(_) | UrlError::NoKeywords => refuse(Reason::PluginNotFound, &error, []),
            UrlError::Password => refuse(Reason::PasswordInUrl, &error, []),
            UrlError::Option(option) => {
                let field = option.name.clone();
                refuse(Reason::ParameterInvalid, &error, [("field", field)])
            }
        }
    }
}

impl From<SessionError> for Refused {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Connection(error) => error.into(),
            SessionError::Id(_) => refuse(Reason::SessionIdInvalid, &error, []),
            SessionError::Full { max } => refuse(Reason::SessionsFull, &error, [("max", max.to_string())]),
            SessionError::Unknown => refuse(Reason::SessionNotFound, &error, []),
            SessionError::SecretMissing(ref field) => {
                let field = field.clone();
                refuse(Reason::SecretMissing, &error, [("field", field)])
            }
            SessionError::Credential(error) => error.into(),
            SessionError::File { .. } => refuse(Reason::FileUnusable, &error, []),
            SessionError::Deadline { limit } => {
                refuse(Reason::Deadline, &error, [("limit_ms", limit.as_millis().to_string())])
            }
            SessionError::DeadlineTooLong { max } => {
                refuse(Reason::DeadlineTooLong, &error, [("max_ms", max.as_millis().to_string())])
            }
            SessionError::NothingRuns => refuse(Reason::NothingRuns, &error, []),
            SessionError::StreamIdle { limit } => {
                refuse(Reason::StreamIdle, &error, [("limit_ms", limit.as_millis().to_string())])
            }
            SessionError::Cancelled => refuse(Reason::Cancelled, &error, []),
            SessionError::Lease(error) => error.into(),
            SessionError::Start(_) => refuse(Reason::DriverStartFailed, &error, []),
            SessionError::Driver(error) => error.into(),
        }
    }
}

impl From<LeaseError> for Refused {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Full { max } => refuse(Reason::LeasesFull, &error, [("max", max.to_string())]),
            LeaseError::Busy => refuse(Reason::SessionBusy, &error, []),
            LeaseError::Ended(end) => refuse_with(Reason::SessionEnded, &error, end_metadata(end)),
        }
    }
}

impl From<RunError> for Refused {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Full { max } => refuse(Reason::ResultsFull, &error, [("max", max.to_string())]),
            RunError::Used | RunError::Session(SessionError::Id(_)) => {
                refuse(Reason::ResultIdInvalid, &error, [])
            }
            RunError::Session(error) => error.into(),
        }
    }
}

impl From<ResultError> for Refused {
    fn from(error: ResultError) -> Self {
        match error {
            ResultError::NotFound => refuse(Reason::ResultNotFound, &error, []),
            ResultError::Dropped(cause) => {
                let name = drop_cause(cause).as_str_name();
                let word = name.strip_prefix("RESULT_DROP_CAUSE_").unwrap_or(name).to_owned();
                refuse(Reason::ResultDropped, &error, [("cause", word)])
            }
            ResultError::NoStatement(_) => refuse(Reason::StatementNotFound, &error, []),
            ResultError::NoRows => refuse(Reason::StatementWithoutRows, &error, []),
            ResultError::NoColumn { columns, .. } => {
                refuse(Reason::ColumnNotFound, &error, [("columns", columns.to_string())])
            }
            ResultError::NoRow { rows, .. } => {
                refuse(Reason::RowOutOfRange, &error, [("rows", rows.to_string())])
            }
            ResultError::NoView(_) => refuse(Reason::ViewNotFound, &error, []),
            ResultError::ViewNotReady(_) => refuse(Reason::ViewNotReady, &error, []),
            ResultError::ViewsFull { max } => refuse(Reason::ViewsFull, &error, [("max", max.to_string())]),
            ResultError::WorkFull { max } => refuse(Reason::WorkFull, &error, [("max", max.to_string())]),
            ResultError::ExportsFull { max } => {
                refuse(Reason::ExportsFull, &error, [("max", max.to_string())])
            }
            ResultError::View(error) => Self::of_view(&error),
            ResultError::Export(ref export) => match &**export {
                ExportError::Canceled => refuse(Reason::Cancelled, &error, []),
                ExportError::BrokenOff => refuse(Reason::ExportBrokenOff, &error, []),
                ExportError::Read(_) | ExportError::Write(_) => refuse(Reason::ResultUnreadable, &error, []),
                ExportError::Refused(_) | ExportError::Format(_) => refuse(Reason::ExportUnfit, &error, []),
            },
            ResultError::ReaderIdle(limit) => {
                refuse(Reason::StreamIdle, &error, [("limit_ms", limit.as_millis().to_string())])
            }
            ResultError::Unreadable(_) => refuse(Reason::ResultUnreadable, &error, []),
            ResultError::Lost => refuse(Reason::CoreBroken, &error, []),
            ResultError::ShuttingDown(_) => refuse(Reason::ShuttingDown, &error, []),
        }
    }
}

impl From<DraftError> for Refused {
    fn from(error: DraftError) -> Self {
        let reason = match &error {
            DraftError::NotFound => Reason::DraftNotFound,
            DraftError::Unreadable => Reason::DraftUnreadable,
            DraftError::Full => Reason::DraftsFull,
            DraftError::Store(_) => Reason::StoreFailed,
            DraftError::ShuttingDown(_) => Reason::ShuttingDown,
        };
        refuse(reason, &error, [])
    }
}

impl From<HistoryError> for Refused {
    fn from(error: HistoryError) -> Self {
        let reason = match &error {
            HistoryError::NotFound => Reason::RunNotFound,
            HistoryError::Store(_) => Reason::StoreFailed,
            HistoryError::ShuttingDown(_) => Reason::ShuttingDown,
        };
        refuse(reason, &error, [])
    }
}

impl From<WatchError> for Refused {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Full { max } => refuse(Reason::WatchersFull, &error, [("max", max.to_string())]),
            WatchError::ShuttingDown(_) => refuse(Reason::ShuttingDown, &error, []),
        }
    }
}

impl From<AccessError> for Refused {
    fn from(error: AccessError) -> Self {
        let reason = match &error {
            AccessError::HostForeign => Reason::HostForeign,
            AccessError::OriginForeign => Reason::OriginForeign,
            AccessError::TokenMissing => Reason::TokenMissing,
            AccessError::TokenWrong => Reason::TokenWrong,
            AccessError::CodeInvalid => Reason::CodeInvalid,
            AccessError::CallsFull { .. } => Reason::CallsFull,
        };
        refuse(reason, &error, [])
    }
}

impl Refused {
    /// A view or statistics could not be made.
    pub(crate) fn of_view(error: &ViewError) -> Self {
        match error {
            ViewError::Canceled => refuse(Reason::Cancelled, error, []),
            ViewError::Read(ReadError::NoSuchColumn { columns, .. }) => {
                refuse(Reason::ColumnNotFound, error, [("columns", columns.to_string())])
            }
            ViewError::Read(_) | ViewError::Rows(_) | ViewError::Spool(_) => {
                refuse(Reason::ResultUnreadable, error, [])
            }
            ViewError::Lost => refuse(Reason::CoreBroken, error, []),
            ViewError::Limit(limit) => refuse(Reason::ResultLimit, error, [("limit", limit.to_string())]),
            ViewError::Value { column, .. } => {
                refuse(Reason::ViewInvalid, error, [("column", column.to_string())])
            }
            ViewError::Pattern(_) | ViewError::Patterns { .. } => refuse(Reason::ViewInvalid, error, []),
        }
    }

    /// The text is no id of a result.
    pub(crate) fn result_id(error: SessionIdError) -> Self {
        refuse(Reason::ResultIdInvalid, &error, [])
    }

    /// The contract's word and a sentence, where a failure is told inside of an answer.
    pub(crate) fn told(self) -> (String, String) {
        let reason = self.0.get_details_error_info().map(|info| info.reason);
        (reason.unwrap_or_default(), self.0.message().to_owned())
    }

    /// The failure of a request in a leased session, which says whether the session goes on.
    pub(crate) fn in_lease(error: SessionError, end: Option<SessionEnd>) -> Self {
        if matches!(error, SessionError::Unknown) {
            return error.into();
        }
        let Self(status) = error.into();
        let Some(info) = status.get_details_error_info() else { return Self(status) };
        let (session, more) = match end {
            None => ("OPEN", Metadata::new()),
            Some(end) => ("ENDED", end_metadata(end)),
        };
        let mut metadata = info.metadata;
        metadata.extend(more);
        metadata.insert("session".to_owned(), session.to_owned());
        let details = ErrorDetails::with_error_info(info.reason, DOMAIN, metadata);
        Self(Box::new(Status::with_error_details(status.code(), status.message(), details)))
    }
}

fn end_metadata(end: SessionEnd) -> Metadata {
    let mut metadata = Metadata::from([("cause".to_owned(), cause_word(end.cause).to_owned())]);
    if end.transaction_lost {
        metadata.insert("transaction".to_owned(), "LOST".to_owned());
    }
    metadata
}

/// The word of `query.proto`.
fn cause_word(end: EndCause) -> &'static str {
    let name = cause(end).as_str_name();
    name.strip_prefix("END_CAUSE_").unwrap_or(name)
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Driver { reason, .. } => refuse(Reason::of_driver(*reason), &error, []),
            CallError::Broken(_) => refuse(Reason::DriverBrokeContract, &error, []),
            CallError::Ended(ending) => match ending.cause {
                Cause::Memory { limit_bytes, .. } => {
                    refuse(Reason::MemoryLimit, &error, [("limit_bytes", limit_bytes.to_string())])
                }
                Cause::FileSize { limit_bytes } => {
                    refuse(Reason::LimitReached, &error, [("limit_bytes", limit_bytes.to_string())])
                }
                Cause::Deadline(limit) => {
                    refuse(Reason::Deadline, &error, [("limit_ms", limit.as_millis().to_string())])
                }
                Cause::Exited(_) | Cause::Signal(_) | Cause::Killed => refuse(Reason::DriverDied, &error, []),
            },
        }
    }
}

type Metadata = HashMap<String, String>;

fn refuse<const N: usize>(reason: Reason, error: &dyn Error, metadata: [(&str, String); N]) -> Refused {
    refuse_with(reason, error, metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn refuse_with(reason: Reason, error: &dyn Error, metadata: Metadata) -> Refused {
    let details = ErrorDetails::with_error_info(reason.as_str(), DOMAIN, metadata);
    Refused(Box::new(Status::with_error_details(reason.code(), chain(error), details)))
}

/// An error and what caused it, in one line: a status has one message, and its reader cannot ask for causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}
