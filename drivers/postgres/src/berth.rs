//! Where the connection lies while nothing runs, and is listened to.

use tokio::sync::{Mutex, Notify, watch};

use crate::connection::Connection;

/// The place of a session's connection between calls.
pub(crate) struct Berth {
    /// None while a call runs, and for good when the connection was lost.
    ///
    /// Of those who lock it, only the listener waits with it locked, and lets go when the connection is wanted.
    connection: Mutex<Option<Connection>>,
    wanted: watch::Sender<bool>,
    parked: Notify,
}

impl Berth {
    pub(crate) fn new(connection: Connection) -> Self {
        let (wanted, _) = watch::channel(false);
        Self { connection: Mutex::new(Some(connection)), wanted, parked: Notify::new() }
    }

    /// Takes the connection for a call. None: it was lost.
    pub(crate) async fn take(&self) -> Option<Connection> {
        self.wanted.send_replace(true);
        let taken = self.connection.lock().await.take();
        self.wanted.send_replace(false);
        taken
    }

    /// Puts the connection back after a call.
    pub(crate) async fn put_back(&self, connection: Connection) {
        *self.connection.lock().await = Some(connection);
        self.parked.notify_one();
    }

    /// Listens to the server whenever nothing runs. Never ends, and can be dropped at any time.
    pub(crate) async fn listen(&self) {
        let mut wanted = self.wanted.subscribe();
        loop {
            if let Some(connection) = &mut *self.connection.lock().await {
                tokio::select! {
                    biased;
                    // The sender is in `self`.
                    _ = wanted.wait_for(|is_wanted| *is_wanted) => {}
                    () = connection.listen() => {}
                }
            }
            self.parked.notified().await;
        }
    }
}
