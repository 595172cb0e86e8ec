//! A further connection, which sees what the session's own sees.

use std::time::Duration;

use postgres_protocol::{escape::escape_literal, message::frontend};
use querybox_plugin::OpenError;
use tokio::time::timeout;

use super::table::Table;
use crate::{
    cancel::Canceller,
    connect::{self, Reserve},
    connection::Connection,
    decode::Encoding,
};

/// How long a farewell may take, which nobody has to hear.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) canceller: Canceller,
}

/// Opens one that is ready to read the table: in a transaction with the same snapshot, with the session's settings, and with
/// the table locked.
///
/// # Errors
///
/// Why there is none, in words.
pub(super) async fn open(
    reserve: &Reserve,
    session: &Canceller,
    table: &Table,
    encoding: Encoding,
) -> Result<Worker, String> {
    let words = |error: OpenError| match error {
        OpenError::Rejected(rejection) => rejection.message,
        OpenError::Failed(error) => error.to_string(),
    };
    let (mut connection, canceller) = connect::beside(reserve, session).await.map_err(words)?;
    let begun = async {
        let snapshot = format!("SET TRANSACTION SNAPSHOT {}", escape_literal(&table.snapshot));
        let settings = format!("SELECT {}", table.settings);
        connection.put_command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        connection.put_command(&snapshot)?;
        if !table.settings.is_empty() {
            connection.put_command(&settings)?;
        }
        connection.put_command(&table.lock())?;
        connection.put_sync();
        connection.wire.send().await?;
        connection.simple_answer("").await
    };
    let begun = timeout(reserve.connect_limit(), begun).await;
    begun.map_err(|_| "the server did not begin a transaction in time".to_owned())?.map_err(words)?;
    if connection.reported.encoding() != encoding {
        return Err("the server sends text there in another encoding".into());
    }
    Ok(Worker { connection, canceller })
}

impl Worker {
    /// Leaves the server, which rolls the transaction back.
    pub(super) async fn leave(mut self) {
        if self.connection.is_over || self.connection.readies_awaited > 0 {
            return;
        }
        frontend::terminate(&mut self.connection.wire.output);
        drop(timeout(FAREWELL, self.connection.wire.send()).await);
    }
}
