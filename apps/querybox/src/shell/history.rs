//! What was typed before: in memory, or in a file when the user has asked for that by name.

use std::{
    fs::{OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use reedline::{
    FileBackedHistory, History, HistoryItem, HistoryItemId, HistorySessionId, Result as Kept, SearchQuery,
};

use crate::failure::Failure;

/// Statements that are remembered.
const ENTRIES_MAX: usize = 5000;

/// Opens the history. `file`: where it is kept in the clear, readable by its owner alone; `None`: in memory, gone with the
/// shell.
pub(crate) fn open(file: Option<&Path>) -> Result<Box<dyn History>, Failure> {
    let failed = |error| Failure::machinery(format!("cannot open the history: {error}"));
    let Some(path) = file else {
        return Ok(Box::new(FileBackedHistory::new(ENTRIES_MAX).map_err(failed)?));
    };
    close_to_others(path).map_err(|error| Failure::keeping(path, &error))?;
    let file = FileBackedHistory::with_file(ENTRIES_MAX, path.to_owned()).map_err(failed)?;
    Ok(Box::new(Discreet(file)))
}

/// A history in a file, into which nothing goes that looks like it holds a password.
struct Discreet(FileBackedHistory);

/// Whether a statement may hold a password: in doubt it does, as nobody misses such a line much.
fn may_hold_password(text: &str) -> bool {
    const WORDS: [&str; 6] = ["password", "passwd", "passphrase", "pwd", "secret", "identified"];
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word)) && text.contains(['\'', '"', '$'])
}

impl History for Discreet {
    fn save(&mut self, item: HistoryItem) -> Kept<HistoryItem> {
        match may_hold_password(&item.command_line) {
            true => Ok(item),
            false => self.0.save(item),
        }
    }

    fn load(&self, id: HistoryItemId) -> Kept<HistoryItem> {
        self.0.load(id)
    }

    fn count(&self, query: SearchQuery) -> Kept<i64> {
        self.0.count(query)
    }

    fn search(&self, query: SearchQuery) -> Kept<Vec<HistoryItem>> {
        self.0.search(query)
    }

    fn update(&mut self, id: HistoryItemId, updater: &dyn Fn(HistoryItem) -> HistoryItem) -> Kept<()> {
        self.0.update(id, updater)
    }

    fn clear(&mut self) -> Kept<()> {
        self.0.clear()
    }

    fn delete(&mut self, id: HistoryItemId) -> Kept<()> {
        self.0.delete(id)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }

    fn session(&self) -> Option<HistorySessionId> {
        self.0.session()
    }
}

/// Makes the file, and takes from one that is there what is open to others.
fn close_to_others(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt};

    use super::*;

    #[test]
    fn a_password_does_not_go_into_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shell_history");
        let mut history = open(Some(&path)).unwrap();
        for text in [
            "select 1;",
            "ALTER ROLE ada\nPASSWORD 'canary';",
            "create user ada identified by \"canary\";",
            "select * from dblink('host=db password=canary', 'select 1') as t (x int);",
            "select password from users;",
        ] {
            history.save(HistoryItem::from_command_line(text)).unwrap();
        }
        history.sync().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "select 1;\nselect password from users;\n");
    }

    #[test]
    fn a_history_file_is_closed_to_others_whatever_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shell_history");
        let mode = || fs::metadata(&path).unwrap().mode() & 0o777;
        drop(open(Some(&path)).unwrap());
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        drop(open(Some(&path)).unwrap());
        assert_eq!(mode(), 0o600);
    }
}
