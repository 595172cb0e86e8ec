//! What the driver asks for itself inside of a transaction of the user's, without harm to that.

use querybox_plugin::{Error, OpenError, pb};

use crate::connection::{Connection, Frame};

pub(crate) const SET: &str = "SAVEPOINT querybox_schema";
pub(crate) const RELEASE: &str = "RELEASE SAVEPOINT querybox_schema";
const GO_BACK: &str = "ROLLBACK TO SAVEPOINT querybox_schema; RELEASE SAVEPOINT querybox_schema";

/// A place in the user's transaction to go back to: a query that fails, or that is cancelled, would else end the
/// transaction with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the savepoint is in the user's transaction until it is gone back to"]
pub(crate) enum Savepoint {
    Set,
    /// There is no transaction, or nothing to save in it.
    None,
}

impl Savepoint {
    /// # Errors
    ///
    /// When the connection is of no use any more.
    pub(crate) async fn set(connection: &mut Connection) -> Result<Self, Error> {
        if connection.transaction != pb::TransactionState::Open || connection.frame != Frame::None {
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
