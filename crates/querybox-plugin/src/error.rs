//! Failures of the machinery: everything that is not the database's own refusal.

use std::{fmt, io};

use querybox_contracts::plugin::v1 as pb;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The domain of every `google.rpc.ErrorInfo` of QueryBox.
pub const ERROR_DOMAIN: &str = "querybox";

/// A status travels in HTTP/2 headers, which the other side bounds; a longer message would break the connection.
const STATUS_BYTES_MAX: usize = 2048;

/// Why a driver could not do what it was asked for. What the database itself refuses is a [`pb::Rejection`] instead.
///
/// The message is for people: lower case, no full stop, and nothing of a password in it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    reason: Reason,
    message: String,
}

impl Error {
    /// Makes an error. The functions named for a reason read better where there is one.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// The bytes of the server are not its protocol.
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(Reason::ProtocolBroken, message)
    }

    /// The connection ended while it was in use.
    pub fn lost(message: impl Into<String>) -> Self {
        Self::new(Reason::ConnectionLost, message)
    }

    /// A failure of a socket: `what` went wrong, and why.
    #[must_use]
    pub fn of_socket(reason: Reason, what: &str, cause: &io::Error) -> Self {
        let why = match cause.kind() {
            // TLS words it at length, with the address of a manual.
            io::ErrorKind::UnexpectedEof => "the other side closed the connection".to_owned(),
            _ => plain(cause),
        };
        Self::new(reason, format!("{what}: {why}"))
    }

    /// A connection parameter is unknown, missing, repeated or malformed.
    pub fn parameter(name: &str, what: impl fmt::Display) -> Self {
        Self::new(Reason::ParameterInvalid, format!("parameter {name:?} {what}"))
    }

    /// The database's file cannot be used.
    pub fn file(message: impl Into<String>) -> Self {
        Self::new(Reason::FileUnusable, message)
    }

    /// The driver does not have the capability that the call needs.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(Reason::Unsupported, what)
    }

    /// A mistake of the driver's own.
    pub fn broken(message: impl Into<String>) -> Self {
        Self::new(Reason::DriverBroken, message)
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

/// The reasons that the contract knows; each has one gRPC status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The host's name has no address.
    ResolveFailed,
    /// Refused, unreachable, or no answer within the connect limit.
    ConnectFailed,
    /// No TLS on the server, or its certificate does not hold.
    TlsFailed,
    /// The server's bytes are not its protocol.
    ProtocolBroken,
    /// The connection ended while in use.
    ConnectionLost,
    /// The database's file is missing, not readable, or not a database.
    FileUnusable,
    /// A connection parameter is unknown, missing, repeated or malformed.
    ParameterInvalid,
    /// A value for a parameter of the statement is missing, spare or malformed.
    BindingInvalid,
    /// The session id is not the one that this driver was opened with.
    SessionForeign,
    /// The call does not fit the driver's state.
    SessionState,
    /// The driver does not have the capability that the call needs.
    Unsupported,
    /// A limit of the request stopped the driver.
    LimitReached,
    /// A mistake of the driver's own.
    DriverBroken,
}

impl Reason {
    /// The word of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResolveFailed => "RESOLVE_FAILED",
            Self::ConnectFailed => "CONNECT_FAILED",
            Self::TlsFailed => "TLS_FAILED",
            Self::ProtocolBroken => "PROTOCOL_BROKEN",
            Self::ConnectionLost => "CONNECTION_LOST",
            Self::FileUnusable => "FILE_UNUSABLE",
            Self::ParameterInvalid => "PARAMETER_INVALID",
            Self::BindingInvalid => "BINDING_INVALID",
            Self::SessionForeign => "SESSION_FOREIGN",
            Self::SessionState => "SESSION_STATE",
            Self::Unsupported => "UNSUPPORTED",
            Self::LimitReached => "LIMIT_REACHED",
            Self::DriverBroken => "DRIVER_BROKEN",
        }
    }

    fn code(self) -> Code {
        match self {
            Self::ResolveFailed
            | Self::ConnectFailed
            | Self::TlsFailed
            | Self::ProtocolBroken
            | Self::ConnectionLost => Code::Unavailable,
            Self::FileUnusable | Self::SessionState => Code::FailedPrecondition,
            Self::ParameterInvalid | Self::BindingInvalid => Code::InvalidArgument,
            Self::SessionForeign => Code::PermissionDenied,
            Self::Unsupported => Code::Unimplemented,
            Self::LimitReached => Code::ResourceExhausted,
            Self::DriverBroken => Code::Internal,
        }
    }
}

/// An I/O error without the number that std adds.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let details = ErrorDetails::with_error_info(
            error.reason.as_str(),
            ERROR_DOMAIN,
            std::collections::HashMap::new(),
        );
        let mut message = error.message;
        message.truncate(message.floor_char_boundary(STATUS_BYTES_MAX));
        Self::with_error_details(error.reason.code(), message, details)
    }
}

/// Why a session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database refused: a wrong password, no such database, a start-up statement that fails.
    #[error("{}", .0.message)]
    Rejected(Box<pb::Rejection>),
    /// The machinery failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Why a statement could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// Nobody listens any more; there is nothing to answer.
    #[error("nobody listens any more")]
    Stopped,
    /// The machinery failed.
    #[error(transparent)]
    Failed(#[from] Error),
}
