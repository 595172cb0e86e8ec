//! A copy of the store beside it, made before a migration.

use std::{
    fs::{self, File, OpenOptions},
    path::Path,
};

use rusqlite::{
    OpenFlags, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    Error,
    open::{beside, connect, owner_only},
};

/// Writes `<path>.backup-v<version>`, complete and on disk when this returns. An earlier backup of that version is
/// replaced: the store that is about to be migrated is the newer one.
///
/// The caller holds the write lock, so that nothing is committed between the copy and the migration. The copy is made by
/// a connection of its own, since SQLite makes none inside a transaction.
pub(crate) fn write(path: &Path, version: u32) -> Result<(), Error> {
    let target = beside(path, &format!(".backup-v{version}"));
    let part = beside(path, &format!(".backup-v{version}.part"));
    if let Err(error) = fill(path, &part).and_then(|()| Ok(fs::rename(&part, &target)?)) {
        // What is left of it only takes room; the error that counts is the first one.
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    sync_folder(path)
}

fn fill(path: &Path, part: &Path) -> Result<(), Error> {
    // Made here because SQLite would make it under the umask. It accepts an empty file; an older rest is emptied.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    owner_only(&mut options);
    let file = options.open(part)?;
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?.execute("VACUUM INTO ?1", [PathText(part)])?;
    file.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Elsewhere a folder cannot be synced, and a rename is on disk with its file.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> Result<(), Error> {
    Ok(())
}

/// A path as SQLite takes it: bytes, which on Unix need not be UTF-8.
struct PathText<'a>(&'a Path);

impl ToSql for PathText<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_os_str().as_encoded_bytes())))
    }
}
