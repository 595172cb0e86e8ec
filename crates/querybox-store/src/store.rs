//! The store: its threads, and what can be asked of it.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;
use rusqlite::TransactionBehavior;
use tokio::task;
use tracing::warn;
use uuid::Uuid;

use crate::{
    Connection, ConnectionId, ConnectionName, ConnectionSettings, Credential, Error,
    connection::rows,
    credential,
    open::{Opened, leave_wal, open},
    worker::Worker,
};

mod history;
mod secrets;
mod texts;

/// Callers beyond these wait for room, without being lost.
const QUEUE_MAX: usize = 64;
/// Notes beyond these are dropped: a burst of a thousand runs is written in well under a second.
const NOTES_MAX: usize = 1024;

/// The identity of a store, random, made with its file. A sealed secret is bound to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreId(Uuid);

impl StoreId {
    pub fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An open store.
///
/// A write is done whole or not at all. Its future may be dropped at any time: a write that was accepted by then is done
/// all the same, one that was not is never done. When a write has answered it survives a power cut.
///
/// Several processes may have the same file open. Dropped without [`Store::close`], the store finishes what it has
/// accepted on its own threads, unless the process ends first.
pub struct Store {
    id: StoreId,
    writer: Worker,
    /// Whether more than notes were written since it was opened.
    has_written: AtomicBool,
    readers: [Worker; 2],
    reader_next: AtomicUsize,
    notes: Worker,
    notes_dropped: Arc<AtomicU64>,
}

impl Store {
    /// Opens the store in the file at `path`, makes it when there is none (mode 0600, in a folder that exists), and
    /// brings an older one to the present version, after a backup `<path>.backup-v<version>` when there is anything in
    /// it.
    ///
    /// # Errors
    ///
    /// [`Error::Newer`] and [`Error::ChangedMigration`] leave the file as it is, as does [`Error::Storage`] for a file
    /// that is not a store.
    pub async fn open(path: &Path) -> Result<Store, Error> {
        let path = path.to_owned();
        let opened = task::spawn_blocking(move || open(&path)).await.map_err(|_| Error::stopped())??;
        let Opened { store_id, writer, notes, readers: [first, second], has_changed } = opened;
        Ok(Store {
            id: StoreId(store_id),
            writer: Worker::start("store-writer", writer, QUEUE_MAX)?,
            has_written: AtomicBool::new(has_changed),
            readers: [
                Worker::start("store-reader-1", first, QUEUE_MAX)?,
                Worker::start("store-reader-2", second, QUEUE_MAX)?,
            ],
            reader_next: AtomicUsize::new(0),
            notes: Worker::start("store-notes", notes, NOTES_MAX)?,
            notes_dropped: Arc::new(AtomicU64::new(0)),
        })
    }

    pub fn id(&self) -> StoreId {
        self.id
    }

    /// Adds a connection under a new id.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`].
    pub async fn create_connection(
        &self,
        settings: ConnectionSettings,
        now: Timestamp,
    ) -> Result<Connection, Error> {
        self.write(move |db| rows::insert(db, ConnectionId::make(now), &settings, now)).await
    }

    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn connection(&self, id: ConnectionId) -> Result<Connection, Error> {
        self.read(move |db| rows::by_id(db, id)).await
    }

    /// Finds a connection by its name, in any case.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn connection_named(&self, name: &ConnectionName) -> Result<Connection, Error> {
        let name = name.clone();
        self.read(move |db| rows::by_name(db, &name)).await
    }

    /// All connections, by folder, then by name without case.
    pub async fn connections(&self) -> Result<Vec<Connection>, Error> {
        self.read(rows::all).await
    }

    /// Replaces the settings of a connection, when its revision is still the one they were made from.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Conflict`], [`Error::NameTaken`].
    pub async fn update_connection(
        &self,
        id: ConnectionId,
        revision: u64,
        settings: ConnectionSettings,
        now: Timestamp,
    ) -> Result<Connection, Error> {
        self.write(move |db| rows::update(db, id, revision, &settings, now)).await
    }

    /// As [`update_connection`](Self::update_connection), and forgets all credentials of the connection in the same
    /// moment: what was set for one host never meets another one. They are returned.
    ///
    /// # Errors
    ///
    /// As [`update_connection`](Self::update_connection).
    pub async fn update_connection_and_drop_credentials(
        &self,
        id: ConnectionId,
        revision: u64,
        settings: ConnectionSettings,
        now: Timestamp,
    ) -> Result<(Connection, Vec<Credential>), Error> {
        self.write(move |db| {
            let connection = rows::update(db, id, revision, &settings, now)?;
            Ok((connection, credential::rows::delete_all(db, id)?))
        })
        .await
    }

    /// Adds a connection with the settings of another one and a name of its own. It was never used. A secret is not
    /// copied: that is for who keeps it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    pub async fn duplicate_connection(
        &self,
        id: ConnectionId,
        name: ConnectionName,
        now: Timestamp,
    ) -> Result<Connection, Error> {
        self.write(move |db| {
            let settings = ConnectionSettings { name, ..rows::by_id(db, id)?.settings };
            rows::insert(db, ConnectionId::make(now), &settings, now)
        })
        .await
    }

    /// Removes a connection and its credentials, which are returned. Its runs stay in the history.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn delete_connection(&self, id: ConnectionId) -> Result<Vec<Credential>, Error> {
        self.write(move |db| {
            let forgotten = credential::rows::delete_all(db, id)?;
            rows::delete(db, id)?;
            Ok(forgotten)
        })
        .await
    }

    /// Notes that a connection was used, some time after this returns. Changes neither its revision nor its `updated`.
    pub fn touch(&self, id: ConnectionId, used: Timestamp) {
        self.note(move |db| rows::touch(db, id, used));
    }

    /// How many calls of [`Store::touch`] and [`Store::record_run`] came to nothing since the store was opened: too many
    /// at once, or the file could not be written.
    pub fn notes_dropped(&self) -> u64 {
        self.notes_dropped.load(Ordering::Relaxed)
    }

    /// Finishes everything accepted, notes included, and closes the file. Notes alone may stay in its WAL.
    pub async fn close(self) {
        let Store { writer, readers: [first, second], notes, has_written, .. } = self;
        first.close().await;
        second.close().await;
        notes.close().await;
        if !has_written.into_inner() {
            // What cannot be arranged only takes longer.
            let _ = writer.run(|db| leave_wal(db)).await;
        }
        // Last, since the last connection to close moves the WAL into the file, and it is the one that syncs fully.
        writer.close().await;
    }

    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&rusqlite::Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.has_written.store(true, Ordering::Relaxed);
        self.writer.run(|db| commit(db, job)).await
    }

    /// Reads of one job all see the same state.
    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&rusqlite::Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.reader_next.fetch_add(1, Ordering::Relaxed);
        self.readers[turn % self.readers.len()].run(|db| job(&*db.transaction()?)).await
    }

    fn note(&self, job: impl FnOnce(&rusqlite::Connection) -> Result<(), Error> + Send + 'static) {
        let dropped = Arc::clone(&self.notes_dropped);
        let posted = self.notes.post(move |db| {
            if let Err(error) = commit(db, job) {
                let total = dropped.fetch_add(1, Ordering::Relaxed) + 1;
                warn!(%error, total, "a note could not be written");
            }
        });
        if !posted {
            let total = self.notes_dropped.fetch_add(1, Ordering::Relaxed) + 1;
            warn!(total, "a note was dropped: too many are waiting");
        }
    }
}

/// Takes the write lock first, so that no transaction fails halfway because another process wrote meanwhile.
fn commit<T>(
    db: &mut rusqlite::Connection,
    job: impl FnOnce(&rusqlite::Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = job(&tx)?;
    tx.commit()?;
    Ok(done)
}
