//! Why a call to a driver failed. What the database refused is not here: it is a [`Rejection`](crate::Rejection).

use std::{borrow::Cow, sync::Arc};

use crate::process::{Process, ending::Ending};

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The process ended, or was ended, during the call.
    #[error("the driver ended: {0}")]
    Ended(Arc<Ending>),
    /// The driver said why it could not do what it was asked for. It still runs.
    #[error("{message}")]
    Driver {
        /// Why, of the contract's closed set.
        reason: Reason,
        /// For people, made printable.
        message: String,
    },
    /// The driver does not keep to the contract, and was killed.
    #[error(transparent)]
    Broken(#[from] BrokenContract),
}

/// What a driver did that the contract forbids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the driver broke its contract: {what}")]
pub struct BrokenContract {
    /// What it did.
    pub what: Cow<'static, str>,
}

impl BrokenContract {
    pub(crate) fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into() }
    }

    /// Kills the process: nothing that it says can be believed any more.
    pub(crate) fn found_in(self, process: &Process) -> CallError {
        process.kill();
        CallError::Broken(self)
    }
}

/// The reasons that the contract knows.
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
    /// The session id is not the one that the driver was opened with.
    SessionForeign,
    /// The call does not fit the driver's state.
    SessionState,
    /// The driver does not have the capability that the call needs.
    Unsupported,
    /// A limit of the request stopped the driver.
    LimitReached,
    /// A mistake of the driver's own, or a failure that it gave no reason for.
    DriverBroken,
}

impl Reason {
    /// Reads the contract's word. None: the contract does not have it.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "RESOLVE_FAILED" => Self::ResolveFailed,
            "CONNECT_FAILED" => Self::ConnectFailed,
            "TLS_FAILED" => Self::TlsFailed,
            "PROTOCOL_BROKEN" => Self::ProtocolBroken,
            "CONNECTION_LOST" => Self::ConnectionLost,
            "FILE_UNUSABLE" => Self::FileUnusable,
            "PARAMETER_INVALID" => Self::ParameterInvalid,
            "BINDING_INVALID" => Self::BindingInvalid,
            "SESSION_FOREIGN" => Self::SessionForeign,
            "SESSION_STATE" => Self::SessionState,
            "UNSUPPORTED" => Self::Unsupported,
            "LIMIT_REACHED" => Self::LimitReached,
            "DRIVER_BROKEN" => Self::DriverBroken,
            _ => return None,
        })
    }
}
