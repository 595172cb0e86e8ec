//! What the driver asks for itself inside of a transaction of the user's, without harm to that.

use querybox_plugin::{Error, OpenError, pb};

use crate::{
    connection::{Connection, Frame},
    rejection::is_lasting,
};

pub(crate) const SET: &str = "SAVEPOINT querybox_schema";
pub(crate) const RELEASE: &str = "RELEASE SAVEPOINT querybox_schema";
const GO_BACK: &str = "ROLLBACK TO SAVEPOINT querybox_schema; RELEASE SAVEPOINT querybox_schema";

/// In a transaction that does nothing else.
const PROBE: &str = "BEGIN; SAVEPOINT querybox_schema; ROLLBACK";

/// Whether the server has savepoints. One that only speaks like PostgreSQL may have none, and a SAVEPOINT that it refuses
/// ends the transaction like anything that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Savepoints {
    Unknown,
    Taken,
    Refused,
}

/// Finds out whether the server has savepoints, before the user begins a transaction in which one will be wanted.
///
/// # Errors
///
/// When the connection is of no use any more.
pub(crate) async fn learn(connection: &mut Connection) -> Result<(), Error> {
    let is_idle = connection.transaction == pb::TransactionState::Idle && connection.frame == Frame::None;
    if connection.savepoints != Savepoints::Unknown || !is_idle {
        return Ok(());
    }
    connection.frame = Frame::Statement;
    match connection.simple(PROBE).await {
        Ok(_) => connection.savepoints = Savepoints::Taken,
        Err(OpenError::Failed(error)) => return Err(error),
        Err(OpenError::Rejected(rejection)) if connection.is_over => {
            return Err(Error::lost(rejection.message));
        }
        Err(OpenError::Rejected(rejection)) if is_lasting(&rejection.sqlstate) => {
            connection.savepoints = Savepoints::Refused;
        }
        Err(OpenError::Rejected(_)) => {}
    }
    connection.roll_back_frame().await
}

/// A place in the user's transaction to go back to: a query that fails, or that is cancelled, would else end the
/// transaction with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the savepoint is in the user's transaction until it is gone back to"]
pub(crate) enum Savepoint {
    Set,
    /// There is no transaction, nothing to save in it, or nothing to save it with.
    None,
}

impl Savepoint {
    /// # Errors
    ///
    /// When the connection is of no use any more.
    pub(crate) async fn set(connection: &mut Connection) -> Result<Self, Error> {
        let is_users =
            connection.transaction == pb::TransactionState::Open && connection.frame == Frame::None;
        if !is_users || connection.savepoints == Savepoints::Refused {
            return Ok(Self::None);
        }
        match connection.simple(SET).await {
            Ok(_) => Ok(Self::Set),
            // Cancelled already: what follows tells that the transaction has failed.
            Err(OpenError::Rejected(_)) if !connection.is_over => Ok(Self::None),
            Err(OpenError::Rejected(rejection)) => Err(Error::lost(rejection.message)),
            Err(OpenError::Failed(error)) => Err(error),
        }
    }

    /// Makes the transaction what it was.
    ///
    /// # Errors
    ///
    /// When the connection is of no use any more.
    pub(crate) async fn go_back(self, connection: &mut Connection) -> Result<(), Error> {
        match self {
            Self::Set => go_back(connection).await,
            Self::None => Ok(()),
        }
    }
}

async fn go_back(connection: &mut Connection) -> Result<(), Error> {
    // A cancel request that comes late may hit the first one.
    let mut attempts_left = 2;
    loop {
        attempts_left -= 1;
        match connection.simple(GO_BACK).await {
            Ok(_) => return Ok(()),
            Err(OpenError::Failed(error)) => return Err(error),
            Err(OpenError::Rejected(_)) if attempts_left > 0 && !connection.is_over => {}
            Err(OpenError::Rejected(rejection)) => return Err(Error::lost(rejection.message)),
        }
    }
}
