//! How the program ends: the one list of exit codes, and the one map from Core's reasons to it.

use std::process::ExitCode;

use crate::reason::Reason;

/// How the program ends. Scripts rely on the numbers; they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All was done. A result that `--max-rows` cut short counts as done.
    Done,
    /// The database refused: a statement, a log-in.
    Rejected,
    /// The request cannot be carried out as it was written: usage, an unknown connection or driver, an unreadable `-f`, an
    /// unwritable `-o`, text that is not UTF-8.
    Usage,
    /// The machinery failed: a plugin that is missing or broken, a server out of reach, a full disk.
    Machinery,
    /// A limit or the deadline was reached.
    Limit,
    /// Cancelled by the user. 128 + SIGINT, as shells say it.
    Cancelled,
    /// The reader of standard output closed the pipe. 128 + SIGPIPE; nothing is said.
    PipeClosed,
}

impl Exit {
    /// The exit status.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Rejected => 1,
            Exit::Usage => 2,
            Exit::Machinery => 3,
            Exit::Limit => 4,
            Exit::Cancelled => 130,
            Exit::PipeClosed => 141,
        }
    }

    /// The exit that a failure of Core's leads to.
    pub(crate) fn of(reason: Reason) -> Exit {
        match reason {
            Reason::ConnectionNotFound
            | Reason::NameTaken
            | Reason::ParameterInvalid
            | Reason::PasswordInUrl
            | Reason::BindingInvalid
            | Reason::DeadlineTooLong
            | Reason::SecretMissing
            | Reason::CredentialMissing
            | Reason::CredentialInvalid
            | Reason::SecretPlaceMissing
            | Reason::MasterKeyMissing
            | Reason::MasterKeyWrong
            | Reason::MasterKeyUnreadable
            | Reason::KeysNotInitialized
            | Reason::KeyNotFound
            | Reason::KeyInUse
            | Reason::KeyRetired
            | Reason::KeysInitialized
            | Reason::KeysUsed
            | Reason::HostForeign
            | Reason::OriginForeign
            | Reason::TokenMissing
            | Reason::TokenWrong
            | Reason::CodeInvalid
            | Reason::ResultNotFound
            | Reason::ResultDropped
            | Reason::StatementNotFound
            | Reason::StatementWithoutRows
            | Reason::ColumnNotFound
            | Reason::RowOutOfRange
            | Reason::ViewNotFound
            | Reason::ViewNotReady
            | Reason::ViewInvalid
            | Reason::ExportUnfit
            // What was asked of the driver is none of its capabilities.
            | Reason::Unsupported => Exit::Usage,
            // A driver that was named on the command line is the exception: see `Failure::of_named_driver`.
            Reason::PluginNotFound
            // Trying again helps.
            | Reason::ConnectionChanged
            | Reason::ResolveFailed
            | Reason::ConnectFailed
            | Reason::TlsFailed
            | Reason::ProtocolBroken
            | Reason::ConnectionLost
            | Reason::FileUnusable
            | Reason::CredentialDoesNotOpen
            | Reason::KeyringAbsent
            | Reason::KeyringLocked
            | Reason::KeyringDenied
            | Reason::KeyringSilent
            | Reason::KeyringFailed
            | Reason::SessionForeign
            | Reason::SessionState
            | Reason::SessionIdInvalid
            | Reason::SessionNotFound
            | Reason::SessionBusy
            | Reason::SessionEnded
            | Reason::NothingRuns
            | Reason::DriverBroken
            | Reason::DriverStartFailed
            | Reason::DriverDied
            | Reason::DriverBrokeContract
            | Reason::StoreFailed
            | Reason::ShuttingDown
            | Reason::ResultIdInvalid
            | Reason::ResultUnreadable
            | Reason::CoreBroken
            | Reason::ExportBrokenOff => Exit::Machinery,
            Reason::LimitReached
            | Reason::CallsFull
            | Reason::Deadline
            | Reason::StreamIdle
            | Reason::MemoryLimit
            | Reason::SessionsFull
            | Reason::LeasesFull
            | Reason::WatchersFull
            | Reason::ResultsFull
            | Reason::ViewsFull
            | Reason::WorkFull
            | Reason::ExportsFull
            | Reason::ResultLimit => Exit::Limit,
            Reason::Cancelled => Exit::Cancelled,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
