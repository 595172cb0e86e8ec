//! Why Core could not do something: the closed list of reasons that the contracts give.

/// A reason of `google.rpc.ErrorInfo` with domain `querybox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    ResolveFailed,
    ConnectFailed,
    TlsFailed,
    ProtocolBroken,
    ConnectionLost,
    FileUnusable,
    ParameterInvalid,
    BindingInvalid,
    SessionForeign,
    SessionState,
    Unsupported,
    LimitReached,
    DriverBroken,
    ConnectionNotFound,
    PluginNotFound,
    NameTaken,
    ConnectionChanged,
    PasswordInUrl,
    SessionIdInvalid,
    SessionNotFound,
    SecretMissing,
    CredentialMissing,
    CredentialDoesNotOpen,
    CredentialInvalid,
    SecretPlaceMissing,
    KeyringAbsent,
    KeyringLocked,
    KeyringDenied,
    KeyringSilent,
    KeyringFailed,
    MasterKeyMissing,
    MasterKeyWrong,
    MasterKeyUnreadable,
    KeysNotInitialized,
    KeyNotFound,
    KeyInUse,
    KeyRetired,
    KeysInitialized,
    KeysUsed,
    Deadline,
    DeadlineTooLong,
    StreamIdle,
    MemoryLimit,
    SessionsFull,
    SessionBusy,
    SessionEnded,
    LeasesFull,
    NothingRuns,
    WatchersFull,
    Cancelled,
    DriverStartFailed,
    DriverDied,
    DriverBrokeContract,
    StoreFailed,
    ShuttingDown,
    ResultIdInvalid,
    ResultNotFound,
    ResultDropped,
    ResultsFull,
    ResultUnreadable,
    CoreBroken,
    StatementNotFound,
    StatementWithoutRows,
    ColumnNotFound,
    RowOutOfRange,
    ViewNotFound,
    ViewNotReady,
    ViewInvalid,
    ViewsFull,
    WorkFull,
    ExportsFull,
    ResultLimit,
    ExportUnfit,
    ExportBrokenOff,
    HostForeign,
    OriginForeign,
    TokenMissing,
    TokenWrong,
    CodeInvalid,
    CallsFull,
}

impl Reason {
    /// Reads the contract's word. `None`: a word of a newer contract.
    pub(crate) fn parse(word: &str) -> Option<Reason> {
        Some(match word {
            "RESOLVE_FAILED" => Reason::ResolveFailed,
            "CONNECT_FAILED" => Reason::ConnectFailed,
            "TLS_FAILED" => Reason::TlsFailed,
            "PROTOCOL_BROKEN" => Reason::ProtocolBroken,
            "CONNECTION_LOST" => Reason::ConnectionLost,
            "FILE_UNUSABLE" => Reason::FileUnusable,
            "PARAMETER_INVALID" => Reason::ParameterInvalid,
            "BINDING_INVALID" => Reason::BindingInvalid,
            "SESSION_FOREIGN" => Reason::SessionForeign,
            "SESSION_STATE" => Reason::SessionState,
            "UNSUPPORTED" => Reason::Unsupported,
            "LIMIT_REACHED" => Reason::LimitReached,
            "DRIVER_BROKEN" => Reason::DriverBroken,
            "CONNECTION_NOT_FOUND" => Reason::ConnectionNotFound,
            "PLUGIN_NOT_FOUND" => Reason::PluginNotFound,
            "NAME_TAKEN" => Reason::NameTaken,
            "CONNECTION_CHANGED" => Reason::ConnectionChanged,
            "PASSWORD_IN_URL" => Reason::PasswordInUrl,
            "SESSION_ID_INVALID" => Reason::SessionIdInvalid,
            "SESSION_NOT_FOUND" => Reason::SessionNotFound,
            "SECRET_MISSING" => Reason::SecretMissing,
            "CREDENTIAL_MISSING" => Reason::CredentialMissing,
            "CREDENTIAL_DOES_NOT_OPEN" => Reason::CredentialDoesNotOpen,
            "CREDENTIAL_INVALID" => Reason::CredentialInvalid,
            "SECRET_PLACE_MISSING" => Reason::SecretPlaceMissing,
            "KEYRING_ABSENT" => Reason::KeyringAbsent,
            "KEYRING_LOCKED" => Reason::KeyringLocked,
            "KEYRING_DENIED" => Reason::KeyringDenied,
            "KEYRING_SILENT" => Reason::KeyringSilent,
            "KEYRING_FAILED" => Reason::KeyringFailed,
            "MASTER_KEY_MISSING" => Reason::MasterKeyMissing,
            "MASTER_KEY_WRONG" => Reason::MasterKeyWrong,
            "MASTER_KEY_UNREADABLE" => Reason::MasterKeyUnreadable,
            "KEYS_NOT_INITIALIZED" => Reason::KeysNotInitialized,
            "KEY_NOT_FOUND" => Reason::KeyNotFound,
            "KEY_IN_USE" => Reason::KeyInUse,
            "KEY_RETIRED" => Reason::KeyRetired,
            "KEYS_INITIALIZED" => Reason::KeysInitialized,
            "KEYS_USED" => Reason::KeysUsed,
            "DEADLINE" => Reason::Deadline,
            "DEADLINE_TOO_LONG" => Reason::DeadlineTooLong,
            "STREAM_IDLE" => Reason::StreamIdle,
            "MEMORY_LIMIT" => Reason::MemoryLimit,
            "SESSIONS_FULL" => Reason::SessionsFull,
            "SESSION_BUSY" => Reason::SessionBusy,
            "SESSION_ENDED" => Reason::SessionEnded,
            "LEASES_FULL" => Reason::LeasesFull,
            "NOTHING_RUNS" => Reason::NothingRuns,
            "WATCHERS_FULL" => Reason::WatchersFull,
            "CANCELLED" => Reason::Cancelled,
            "DRIVER_START_FAILED" => Reason::DriverStartFailed,
            "DRIVER_DIED" => Reason::DriverDied,
            "DRIVER_BROKE_CONTRACT" => Reason::DriverBrokeContract,
            "STORE_FAILED" => Reason::StoreFailed,
            "SHUTTING_DOWN" => Reason::ShuttingDown,
            "RESULT_ID_INVALID" => Reason::ResultIdInvalid,
            "RESULT_NOT_FOUND" => Reason::ResultNotFound,
            "RESULT_DROPPED" => Reason::ResultDropped,
            "RESULTS_FULL" => Reason::ResultsFull,
            "RESULT_UNREADABLE" => Reason::ResultUnreadable,
            "CORE_BROKEN" => Reason::CoreBroken,
            "STATEMENT_NOT_FOUND" => Reason::StatementNotFound,
            "STATEMENT_WITHOUT_ROWS" => Reason::StatementWithoutRows,
            "COLUMN_NOT_FOUND" => Reason::ColumnNotFound,
            "ROW_OUT_OF_RANGE" => Reason::RowOutOfRange,
            "VIEW_NOT_FOUND" => Reason::ViewNotFound,
            "VIEW_NOT_READY" => Reason::ViewNotReady,
            "VIEW_INVALID" => Reason::ViewInvalid,
            "VIEWS_FULL" => Reason::ViewsFull,
            "WORK_FULL" => Reason::WorkFull,
            "EXPORTS_FULL" => Reason::ExportsFull,
            "RESULT_LIMIT" => Reason::ResultLimit,
            "EXPORT_UNFIT" => Reason::ExportUnfit,
            "EXPORT_BROKEN_OFF" => Reason::ExportBrokenOff,
            "HOST_FOREIGN" => Reason::HostForeign,
            "ORIGIN_FOREIGN" => Reason::OriginForeign,
            "TOKEN_MISSING" => Reason::TokenMissing,
            "TOKEN_WRONG" => Reason::TokenWrong,
            "CODE_INVALID" => Reason::CodeInvalid,
            "CALLS_FULL" => Reason::CallsFull,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    const CONTRACTS: [&str; 8] = [
        include_str!("../../../contracts/plugin/v1/plugin.proto"),
        include_str!("../../../contracts/core/v1/query.proto"),
        include_str!("../../../contracts/core/v1/connection.proto"),
        include_str!("../../../contracts/core/v1/session.proto"),
        include_str!("../../../contracts/core/v1/credential.proto"),
        include_str!("../../../contracts/core/v1/key.proto"),
        include_str!("../../../contracts/core/v1/event.proto"),
        include_str!("../../../contracts/core/v1/result.proto"),
    ];

    /// Words that look like reasons in the contracts' comments and are something else.
    const STATUS_CODES_AND_NAMES: [&str; 13] = [
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "INVALID_ARGUMENT",
        "FAILED_PRECONDITION",
        "DEADLINE_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "PERMISSION_DENIED",
        "UNAVAILABLE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "ABORTED",
        "CANCELLED",
        "QUERYBOX_SOCKET",
    ];

    /// The reasons of the tables: a comment line that begins with an upper-case word and two spaces.
    fn tabled(contract: &str) -> impl Iterator<Item = &str> {
        contract.lines().filter_map(|line| {
            let line = line.strip_prefix("//   ")?;
            let (word, rest) = line.split_once(' ')?;
            let is_word = word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            (is_word && rest.len() > 10).then_some(word)
        })
    }

    #[test]
    fn every_reason_of_the_contracts_is_known_and_has_an_exit() {
        let words: Vec<_> = CONTRACTS.iter().flat_map(|contract| tabled(contract)).collect();
        assert!(words.len() >= 26, "{words:?}");
        for word in words {
            let reason = Reason::parse(word);
            assert!(reason.is_some(), "{word} is not known");
            assert_ne!(reason.map(Exit::of), Some(Exit::Done));
        }
    }

    #[test]
    fn reasons_in_running_text_are_known_too() {
        let head = CONTRACTS[2].split("service ConnectionService").next().unwrap();
        let words = head
            .lines()
            .filter(|line| line.starts_with("//"))
            .flat_map(|line| line.split(|c: char| !(c.is_ascii_uppercase() || c == '_')))
            .filter(|word| word.contains('_') && !STATUS_CODES_AND_NAMES.contains(word));
        let mut count = 0;
        for word in words {
            assert!(Reason::parse(word).is_some(), "{word} is not known");
            count += 1;
        }
        assert!(count >= 6, "{count}");
    }

    #[test]
    fn the_exits_are_those_that_scripts_rely_on() {
        let check = |word: &str, code: u8| {
            assert_eq!(Reason::parse(word).map(|reason| Exit::of(reason).code()), Some(code), "{word}");
        };
        check("CONNECTION_NOT_FOUND", 2);
        check("PASSWORD_IN_URL", 2);
        check("PLUGIN_NOT_FOUND", 3);
        check("RESOLVE_FAILED", 3);
        check("CONNECT_FAILED", 3);
        check("CONNECTION_LOST", 3);
        check("DRIVER_DIED", 3);
        check("DEADLINE", 4);
        check("DEADLINE_TOO_LONG", 2);
        check("STREAM_IDLE", 4);
        check("MEMORY_LIMIT", 4);
        check("CANCELLED", 130);
        assert_eq!(Exit::PipeClosed.code(), 141);
        assert_eq!(Exit::Rejected.code(), 1);
    }
}
