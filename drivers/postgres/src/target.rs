//! Which of several servers will do: the first that answers and is of the kind that was asked for.

use querybox_plugin::{Error, OpenError, Reason};
use tokio::time::Instant;

use crate::connection::Connection;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Any,
    /// One whose sessions write unless they are told not to.
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    /// A standby; when there is none, any.
    PreferStandby,
}

/// Whether the server is a standby, and whether its transactions are read-only.
const KIND: &str =
    "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only')";

impl Target {
    /// What is looked for in each of the rounds through the servers.
    pub(crate) fn rounds(self) -> &'static [Self] {
        match self {
            Self::Any => &[Self::Any],
            Self::ReadWrite => &[Self::ReadWrite],
            Self::ReadOnly => &[Self::ReadOnly],
            Self::Primary => &[Self::Primary],
            Self::Standby => &[Self::Standby],
            Self::PreferStandby => &[Self::Standby, Self::Any],
        }
    }

    /// Refuses a server of another kind.
    ///
    /// # Errors
    ///
    /// [`Reason::ConnectFailed`], saying of which kind it is.
    pub(crate) async fn check(self, connection: &mut Connection) -> Result<(), OpenError> {
        if self == Self::Any {
            return Ok(());
        }
        let kind = connection.simple(KIND).await?;
        let [Some(is_standby), Some(is_read_only)] = kind.as_slice() else {
            return Err(crate::connection::out_of_order().into());
        };
        let (is_standby, is_read_only) = (is_standby == "t", is_read_only == "on");
        let refused = match self {
            Self::Any => None,
            Self::ReadWrite => is_read_only.then_some("takes no writes"),
            Self::ReadOnly => (!is_read_only).then_some("takes writes"),
            Self::Primary => is_standby.then_some("is a standby"),
            Self::Standby | Self::PreferStandby => (!is_standby).then_some("is no standby"),
        };
        match refused {
            None => Ok(()),
            Some(why) => Err(Error::new(Reason::ConnectFailed, format!("the server {why}")).into()),
        }
    }
}

/// When an attempt has to be over, for as many as there are left to have the same time.
pub(crate) fn share(deadline: Instant, attempts_left: usize) -> Instant {
    let now = Instant::now();
    let attempts_left = u32::try_from(attempts_left.max(1)).unwrap_or(u32::MAX);
    now + deadline.saturating_duration_since(now) / attempts_left
}

/// Whether another server may do better.
///
/// A server that refuses the user would be joined by the others, and a password that is wrong is not to be tried on each.
pub(crate) fn goes_on(error: &OpenError) -> bool {
    match error {
        // cannot_connect_now: it starts, ends, or is a standby that takes nobody.
        OpenError::Rejected(rejection) => rejection.sqlstate == "57P03",
        OpenError::Failed(error) => matches!(
            error.reason(),
            Reason::ResolveFailed
                | Reason::ConnectFailed
                | Reason::TlsFailed
                | Reason::ProtocolBroken
                | Reason::ConnectionLost
        ),
    }
}
