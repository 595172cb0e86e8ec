//! Why the store could not do what it was asked.

use std::io;

use rusqlite::ErrorCode;

use crate::{ConnectionId, ConnectionName, KeyId};

/// Why the store could not do what it was asked. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Holds the id or the name that was asked for.
    #[error("there is no connection {0}")]
    NotFound(String),
    /// Names are compared without case.
    #[error("there already is a connection named {0}")]
    NameTaken(ConnectionName),
    /// The revision given is not the present one, or a credential is not kept as it was: somebody else changed it since it
    /// was read.
    #[error("connection {0} was changed meanwhile")]
    Conflict(ConnectionId),
    /// The file was left as it is, byte for byte.
    #[error("the store has version {found}, this program knows versions up to {supported}")]
    Newer { found: u32, supported: u32 },
    /// The file was set up by another text of a migration than the one in this program, so that its tables cannot be
    /// trusted to be the expected ones. The file was left as it is.
    #[error("migration {number} of the store is not the one in this program")]
    ChangedMigration { number: u32 },
    /// No key with this id is registered.
    #[error("there is no key {0}")]
    NoKey(KeyId),
    #[error("keys are registered already")]
    KeysPresent,
    /// Keys that were to be replaced are needed: by so many credentials, and perhaps for texts, whose key is sealed under one.
    #[error("{credentials} credentials, or texts, are sealed under registered keys")]
    KeysUsed { credentials: u64, texts: bool },
    #[error("key {0} is retired")]
    KeyRetired(KeyId),
    /// Also when it is the primary key, or no rotation has shown that nothing is sealed under it.
    #[error("key {id} is still in use, by {credentials} credentials")]
    KeyInUse { id: KeyId, credentials: u64 },
    #[error("disk is full")]
    Full,
    /// Another process held the store's lock for longer than the waiting time of five seconds.
    #[error("the store is locked by another process")]
    Busy,
    /// The file cannot be opened, read or written, or is not a store.
    #[error("the store cannot be used")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The answer when a thread of the store is gone, which only a panic on it can cause.
    pub(crate) fn stopped() -> Error {
        Error::Storage("its thread has ended".into())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Error {
        let Some(failure) = source.sqlite_error() else {
            return Error::Storage(source.into());
        };
        match failure.code {
            ErrorCode::DiskFull => Error::Full,
            // The shared memory file beside the WAL grows by writing zeros: this fails when there is no room.
            ErrorCode::SystemIoFailure if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => {
                Error::Full
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy,
            _ => Error::Storage(source.into()),
        }
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
            _ => Error::Storage(source.into()),
        }
    }
}
