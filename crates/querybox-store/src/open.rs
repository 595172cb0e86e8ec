//! Opens the file: creates it for its owner only, refuses what is not ours, and sets each connection up.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{OpenFlags, config::DbConfig};
use uuid::Uuid;

use crate::{
    Error,
    columns::UuidColumn,
    migrate::{self, MIGRATIONS},
};

/// How long a connection waits for a lock that another process holds: longer than any write of ours takes.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Between two attempts where SQLite itself does not wait.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// A WAL of this size is read in less time than the disk needs to sync once.
const WAL_LEFT_BYTES_MAX: u64 = 256 << 10;

/// All connections of one open store.
pub(crate) struct Opened {
    pub(crate) store_id: Uuid,
    /// `synchronous=FULL`: a commit is on disk.
    pub(crate) writer: rusqlite::Connection,
    /// `synchronous=NORMAL`: a commit may be lost in a power cut, the file stays whole.
    pub(crate) notes: rusqlite::Connection,
    pub(crate) readers: [rusqlite::Connection; 2],
    /// It was made or brought to another version just now.
    pub(crate) has_changed: bool,
}

pub(crate) fn open(path: &Path) -> Result<Opened, Error> {
    // Closing a descriptor of a file drops every POSIX lock that this process holds on it. Creating the file opens and
    // closes one, which no other store of this process may be using yet.
    static OPENING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);

    create_file(path)?;
    let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    refuse_untouched(&writer, path)?;
    enter_wal(&writer)?;
    writer.pragma_update(None, "synchronous", "FULL")?;
    overwrite_deleted(&writer)?;
    let has_changed = migrate::migrate(&mut writer, path, MIGRATIONS)?;
    writer.pragma_update(None, "foreign_keys", true)?;
    let UuidColumn(store_id) = writer.query_row("SELECT store_id FROM meta", [], |row| row.get(0))?;

    let notes = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    notes.pragma_update(None, "synchronous", "NORMAL")?;
    overwrite_deleted(&notes)?;
    let reader = || connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    Ok(Opened { store_id, writer, notes, readers: [reader()?, reader()?], has_changed })
}

/// Leaves the WAL as it is when this connection is closed as the last one, unless it is long: moving it into the file waits for
/// the disk several times, for notes that need not survive a power cut. The next to open the file finds them in the WAL.
pub(crate) fn leave_wal(connection: &rusqlite::Connection) -> Result<(), Error> {
    let path = connection.path().map(Path::new).unwrap_or(Path::new(""));
    let wal_bytes = fs::metadata(beside(path, "-wal")).map_or(0, |wal| wal.len());
    let is_short = wal_bytes <= WAL_LEFT_BYTES_MAX;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_short)?;
    Ok(())
}

/// A secret that was replaced or removed leaves no sealed copy in the free pages of the file. The WAL keeps one until it is
/// written over.
fn overwrite_deleted(connection: &rusqlite::Connection) -> Result<(), Error> {
    let is_on: i64 = connection.pragma_update_and_check(None, "secure_delete", true, |row| row.get(0))?;
    match is_on {
        1 => Ok(()),
        _ => Err(Error::Storage("it cannot overwrite what is deleted".into())),
    }
}

/// Opens the file as it is; changes nothing in it.
pub(crate) fn connect(path: &Path, access: OpenFlags) -> Result<rusqlite::Connection, Error> {
    // Each connection belongs to one thread, so SQLite's own mutexes are not needed.
    let connection = rusqlite::Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_WAIT)?;
    // A writer to the file gains nothing by functions in its schema, and no statement of ours can damage the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    Ok(connection)
}

/// SQLite would create the file under the umask; its WAL takes over the file's mode.
fn create_file(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Files made under these options are for their owner only. Elsewhere than on Unix the folder's rights do this.
pub(crate) fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Refuses a store that this program cannot use, and leaves all of its bytes as they are.
fn refuse_untouched(connection: &rusqlite::Connection, path: &Path) -> Result<(), Error> {
    let refusal = match migrate::check(connection, MIGRATIONS) {
        Ok(_) => return Ok(()),
        Err(refusal) => refusal,
    };
    // The last one to close moves the WAL into the file, which is a change. An empty WAL has nothing to move, and is
    // removed again as it was made for this look only.
    let wal_bytes = fs::metadata(beside(path, "-wal")).map_or(0, |wal| wal.len());
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wal_bytes > 0)?;
    Err(refusal)
}

/// Several processes may come here with a new file at once, and the loser of that race is not made to wait by SQLite,
/// since it holds a read lock already.
fn enter_wal(connection: &rusqlite::Connection) -> Result<(), Error> {
    let started = Instant::now();
    loop {
        let entered =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match entered.map_err(Error::from) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(Error::Storage(format!("its journal stays in mode {mode}").into())),
            Err(Error::Busy) if started.elapsed() < BUSY_WAIT => thread::sleep(BUSY_PAUSE),
            Err(error) => return Err(error),
        }
    }
}

/// The file of that name with something added to it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
