//! Opening a database file, and what is set before the first statement.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use querybox_plugin::{Error, Open, OpenError, pb};
use rusqlite::{Connection, OpenFlags, config::DbConfig, ffi};

use crate::{
    execute,
    grant::Grant,
    info::field,
    interrupt::{self, Wish},
    rejection::{primary_code, rejection},
};

/// Pages that the main database's cache holds, in KiB as PRAGMA cache_size takes them.
const CACHE_KIB: i64 = 8 * 1024;
/// The longest wait for a lock that makes sense: an hour.
const LOCK_WAIT_MAX_MS: u64 = 3_600_000;

/// An open database and what watches over it.
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) grant: Arc<Grant>,
    pub(crate) wish: Wish,
    path: PathBuf,
}

impl Database {
    pub(crate) fn server(&self) -> pb::ServerFacts {
        pb::ServerFacts {
            product: "SQLite".into(),
            version: rusqlite::version().into(),
            database: self.path.display().to_string(),
            ..pb::ServerFacts::default()
        }
    }
}

/// Opens the file and runs the start-up script.
pub(crate) fn open(open: Open, wish: Wish) -> Result<Database, OpenError> {
    let path = PathBuf::from(open.parameters.required(field::FILE)?);
    if !path.is_absolute() {
        return Err(Error::parameter(field::FILE, format_args!("is {path:?}, not a whole path")).into());
    }
    if !matches!(&*open.default_schema, "" | "main") {
        let what = format_args!("is {:?}; SQLite looks names up in main", open.default_schema);
        return Err(Error::parameter("default_schema", what).into());
    }
    let lock_wait = lock_wait(&open)?;
    let file =
        Opening { path: &path, create: open.parameters.flag(field::CREATE), read_only: open.read_only };

    let mut connection = file.connect().map_err(|error| file.explain(&error))?;
    interrupt::install(&mut connection, &wish, lock_wait).map_err(|error| file.explain(&error))?;
    // The file is not looked at before it is read.
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(|error| file.explain(&error))?;
    let folder = path.parent().unwrap_or(&path).canonicalize();
    let folder = folder
        .map_err(|error| Error::file(format!("the folder of {} cannot be read: {error}", path.display())))?;
    set_up(&connection, &open, &folder).map_err(|error| file.explain(&error))?;
    let grant = Arc::new(Grant::new(folder, open.read_only));
    grant.install(&mut connection).map_err(|error| file.explain(&error))?;

    let database = Database { connection, grant, wish, path };
    execute::start_up(&database, &open.startup_sql)?;
    Ok(database)
}

fn lock_wait(open: &Open) -> Result<Duration, Error> {
    let name = field::BUSY_TIMEOUT_MS;
    let text = open.parameters.required(name)?;
    let wait = text.parse().ok().filter(|ms| *ms <= LOCK_WAIT_MAX_MS).map(Duration::from_millis);
    wait.ok_or_else(|| Error::parameter(name, format_args!("is {text:?}, not 0 to {LOCK_WAIT_MAX_MS}")))
}

fn set_up(connection: &Connection, open: &Open, folder: &Path) -> rusqlite::Result<()> {
    // No statement may write the file's own bookkeeping, and what a hostile file's schema calls is not trusted.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, open.parameters.flag(field::FOREIGN_KEYS))?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    if open.read_only {
        // The open flag alone holds; this one makes SQLite say so earlier.
        connection.pragma_update(None, "query_only", true)?;
    }
    if let Some(memory) = open.memory_bytes {
        // A statement that wants too much is then refused, where the process would be killed.
        connection.pragma_update(
            None,
            "hard_heap_limit",
            i64::try_from(memory / 4 * 3).unwrap_or(i64::MAX),
        )?;
    }
    // Large sorts spill into files that SQLite unlinks as soon as it has them open. The jail leaves the database's own
    // folder for them; where it cannot be written, they stay in memory and under the limit above.
    let spills = folder
        .to_str()
        .is_some_and(|folder| connection.pragma_update(None, "temp_store_directory", folder).is_ok());
    connection.pragma_update(None, "temp_store", if spills { "FILE" } else { "MEMORY" })
}

/// The file that is being opened, for what can be said when it fails.
struct Opening<'a> {
    path: &'a Path,
    create: bool,
    read_only: bool,
}

impl Opening<'_> {
    fn connect(&self) -> rusqlite::Result<Connection> {
        let access = match (self.read_only, self.create) {
            (true, _) => OpenFlags::SQLITE_OPEN_READ_ONLY,
            (false, false) => OpenFlags::SQLITE_OPEN_READ_WRITE,
            (false, true) => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        Connection::open_with_flags(self.path, flags)
    }

    /// SQLite says little about a file that it cannot use; the file is looked at again to say more. (Only after a
    /// failure: closing a second descriptor of an open database's file would drop SQLite's locks on it.)
    fn explain(&self, error: &rusqlite::Error) -> OpenError {
        let path = self.path.display();
        let message = match primary_code(error) {
            Some(ffi::SQLITE_NOTADB) => format!("{path} is not a SQLite database, or it is encrypted"),
            Some(ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_NOMEM | ffi::SQLITE_INTERRUPT) => {
                return refused(error);
            }
            code => match self.look() {
                Ok(_) if self.read_only && is_recovery(error) => {
                    format!("{path} was left by a crash and must be opened for writing once: {error}")
                }
                Ok(Header::Wal) if matches!(code, Some(ffi::SQLITE_READONLY | ffi::SQLITE_CANTOPEN)) => {
                    format!("{path} is in WAL mode, which needs a folder that can be written: {error}")
                }
                Ok(_) => format!("{path} cannot be opened: {error}"),
                Err(found) => found,
            },
        };
        Error::file(message).into()
    }

    /// What the file is, or what keeps it from being read.
    fn look(&self) -> Result<Header, String> {
        let path = self.path.display();
        match self.path.metadata() {
            Ok(found) if found.is_dir() => return Err(format!("{path} is a folder")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(match self.path.parent() {
                    Some(folder) if !folder.exists() => format!("the folder of {path} does not exist"),
                    _ if self.create && self.read_only => {
                        format!("{path} does not exist, and a read-only connection does not create it")
                    }
                    _ => format!("{path} does not exist; with `create=true` an empty database is made"),
                });
            }
            Ok(_) | Err(_) => {}
        }
        let mut header = [0; 20];
        match File::open(self.path).and_then(|mut file| file.read_exact(&mut header)) {
            // Bytes 18 and 19 of <https://sqlite.org/fileformat.html#file_format_version_numbers>.
            Ok(()) if header[18] == 2 || header[19] == 2 => Ok(Header::Wal),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                Err(format!("{path} cannot be read: {error}"))
            }
            Ok(()) | Err(_) => Ok(Header::Other),
        }
    }
}

enum Header {
    Wal,
    Other,
}

fn is_recovery(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error().map(|error| error.extended_code),
        Some(ffi::SQLITE_READONLY_ROLLBACK | ffi::SQLITE_READONLY_RECOVERY | ffi::SQLITE_CANTOPEN_DIRTYWAL)
    )
}

fn refused(error: &rusqlite::Error) -> OpenError {
    match rejection(error) {
        Ok(rejection) => OpenError::Rejected(Box::new(rejection)),
        Err(error) => error.into(),
    }
}
