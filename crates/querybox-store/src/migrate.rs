//! Brings a store to the version of this program: numbered texts of SQL, each applied once, remembered by checksum.
//!
//! The version lies in the file's header (`PRAGMA user_version`), so that older programs can read it whatever the tables
//! have become.

use std::path::Path;

use rusqlite::{Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};
use uuid::Builder;

use crate::{Error, backup, columns::UuidColumn};

/// "QBox": tells a store from the databases of other programs.
const APPLICATION_ID: u32 = 0x5142_6f78;

/// In order, without gaps: the n-th brings a store from version n-1 to n. Texts that were released never change.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_connections_and_runs.sql"),
    include_str!("migrations/0002_credentials_and_keys.sql"),
    include_str!("migrations/0003_drafts.sql"),
    include_str!("migrations/0004_history.sql"),
];

/// Reads the version of a store, and refuses what these migrations cannot have made. Changes nothing.
pub(crate) fn check(db: &rusqlite::Connection, migrations: &[&str]) -> Result<u32, Error> {
    // All of it is read as of one moment: another process may be making the store just now.
    let _moment = db.is_autocommit().then(|| db.unchecked_transaction()).transpose()?;
    let found: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application_id: u32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let table_count: u32 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    // A file somebody else made, or one of ours in which nothing was committed yet.
    let fresh = found == 0 && application_id == 0 && table_count == 0;
    if fresh {
        return Ok(0);
    }
    if application_id != APPLICATION_ID || found == 0 {
        return Err(Error::Storage("it is the database of another program".into()));
    }
    let supported = version_after(migrations);
    if found > supported {
        return Err(Error::Newer { found, supported });
    }
    for (number, sql) in (1..=found).zip(migrations) {
        let applied: Option<Vec<u8>> = db
            .prepare("SELECT checksum FROM migration WHERE number = ?1")?
            .query_map([number], |row| row.get(0))?
            .next()
            .transpose()?;
        if applied.as_deref() != Some(derive_checksum(sql).as_slice()) {
            return Err(Error::ChangedMigration { number });
        }
    }
    Ok(found)
}

/// Applies what is missing in one transaction, after a backup beside `path` when there is anything to lose.
pub(crate) fn migrate(
    db: &mut rusqlite::Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<bool, Error> {
    let supported = version_after(migrations);
    if check(db, migrations)? == supported {
        return Ok(false);
    }
    // Rebuilding a table drops it in between; the keys are checked before the commit instead.
    db.pragma_update(None, "foreign_keys", false)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Only now does nobody else migrate; another process may have done so a moment ago.
    let found = check(&tx, migrations)?;
    if found < supported {
        if has_user_data(&tx)? {
            backup::write(path, found)?;
        }
        apply(&tx, found, migrations)?;
    }
    tx.commit()?;
    Ok(true)
}

fn apply(tx: &Transaction<'_>, found: u32, migrations: &[&str]) -> Result<(), Error> {
    for (number, sql) in (1..).zip(migrations).skip_while(|&(number, _)| number <= found) {
        tx.execute_batch(sql)?;
        tx.execute(
            "INSERT INTO migration (number, checksum) VALUES (?1, ?2)",
            (number, derive_checksum(sql)),
        )?;
    }
    if tx.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(Error::Storage("a migration would leave rows without their owner".into()));
    }
    if found == 0 {
        let random_bytes = tx.query_row("SELECT randomblob(16)", [], |row| row.get(0))?;
        let store_id = Builder::from_random_bytes(random_bytes).into_uuid();
        tx.execute("INSERT INTO meta (only_row, store_id) VALUES (1, ?1)", [UuidColumn(store_id)])?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    tx.pragma_update(None, "user_version", version_after(migrations))?;
    Ok(())
}

/// Whether any table has rows, besides the ones that each store has from its start.
fn has_user_data(db: &rusqlite::Connection) -> Result<bool, Error> {
    let tables = db
        .prepare(
            "SELECT name FROM sqlite_schema
             WHERE type = 'table' AND name NOT IN ('meta', 'migration') AND name NOT LIKE 'sqlite%'",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    for table in tables {
        // Names of ours: none has a quote in it.
        if db.prepare(&format!("SELECT 1 FROM \"{table}\" LIMIT 1"))?.exists([])? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn version_after(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).expect("the list of migrations is written by hand")
}

/// Carriage returns do not count: a checkout on Windows may add them.
fn derive_checksum(sql: &str) -> [u8; 32] {
    Sha256::digest(sql.replace('\r', "")).into()
}

#[cfg(test)]
mod version_3;

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use rusqlite::OpenFlags;

    use super::*;
    use crate::open::{beside, connect};

    const FIRST: &str = "
        CREATE TABLE meta (only_row INTEGER PRIMARY KEY, store_id BLOB NOT NULL);
        CREATE TABLE migration (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL);
        CREATE TABLE folder (id INTEGER PRIMARY KEY);
        CREATE TABLE note (text TEXT, folder_id INTEGER REFERENCES folder (id));";
    const SECOND: &str = "ALTER TABLE note ADD COLUMN color TEXT";
    const BROKEN: &str = "ALTER TABLE note ADD COLUMN size TEXT; DROP TABLE folder; SELECT * FROM nowhere;";
    const ORPHANS: &str = "DELETE FROM folder";

    struct Site {
        folder: tempfile::TempDir,
    }

    impl Site {
        fn new() -> Site {
            Site { folder: tempfile::tempdir().unwrap() }
        }

        fn path(&self) -> std::path::PathBuf {
            self.folder.path().join("store.db")
        }

        fn db(&self) -> rusqlite::Connection {
            connect(&self.path(), OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap()
        }

        fn migrate(&self, migrations: &[&str]) -> Result<bool, Error> {
            migrate(&mut self.db(), &self.path(), migrations)
        }

        fn add_note(&self, text: &str) {
            let db = self.db();
            db.execute("INSERT INTO folder DEFAULT VALUES", []).unwrap();
            db.execute("INSERT INTO note (text, folder_id) VALUES (?1, last_insert_rowid())", [text])
                .unwrap();
        }

        fn texts(&self) -> Vec<String> {
            texts_of(&self.db())
        }
    }

    fn texts_of(db: &rusqlite::Connection) -> Vec<String> {
        let mut statement = db.prepare("SELECT text FROM note").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn an_older_store_is_migrated_after_a_backup() {
        let site = Site::new();
        site.migrate(&[FIRST]).unwrap();
        site.add_note("kept");
        let before = site.db().query_row("SELECT store_id FROM meta", [], |row| row.get::<_, Vec<u8>>(0));

        site.migrate(&[FIRST, SECOND]).unwrap();

        assert_eq!(check(&site.db(), &[FIRST, SECOND]).unwrap(), 2);
        assert_eq!(site.texts(), ["kept"]);
        let after = site.db().query_row("SELECT store_id FROM meta", [], |row| row.get::<_, Vec<u8>>(0));
        assert_eq!(after.unwrap(), before.unwrap());

        let backup_path = beside(&site.path(), ".backup-v1");
        let backup = connect(&backup_path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        assert_eq!(check(&backup, &[FIRST]).unwrap(), 1);
        assert_eq!(texts_of(&backup), ["kept"]);
        assert!(!beside(&site.path(), ".backup-v1.part").exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&backup_path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_store_in_wal_mode_is_backed_up_with_what_is_in_its_wal() {
        let site = Site::new();
        let keeps_the_wal = site.db();
        keeps_the_wal.pragma_update(None, "journal_mode", "WAL").unwrap();
        site.migrate(&[FIRST]).unwrap();
        assert_eq!(texts_of(&keeps_the_wal), [""; 0]);
        site.add_note("in the wal");
        assert!(fs::metadata(beside(&site.path(), "-wal")).unwrap().len() > 0);

        site.migrate(&[FIRST, SECOND]).unwrap();

        let backup = connect(&beside(&site.path(), ".backup-v1"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        assert_eq!(texts_of(&backup), ["in the wal"]);
    }

    #[test]
    fn of_two_that_start_together_one_migrates() {
        for _ in 0..20 {
            let site = Site::new();
            site.migrate(&[FIRST]).unwrap();
            site.add_note("kept");
            thread::scope(|scope| {
                let start = || scope.spawn(|| site.migrate(&[FIRST, SECOND]));
                for migrated in [start(), start()] {
                    migrated.join().unwrap().unwrap();
                }
            });
            assert_eq!(check(&site.db(), &[FIRST, SECOND]).unwrap(), 2);
            assert_eq!(site.texts(), ["kept"]);
        }
    }

    #[test]
    fn a_store_that_is_being_made_is_none_of_another_program() {
        for _ in 0..50 {
            let site = Site::new();
            let seen = site.db();
            seen.pragma_update(None, "journal_mode", "WAL").unwrap();
            thread::scope(|scope| {
                let made = scope.spawn(|| site.migrate(MIGRATIONS));
                while check(&seen, MIGRATIONS).unwrap() == 0 {}
                made.join().unwrap().unwrap();
            });
        }
    }

    /// A store as the first version left it.
    #[test]
    fn a_store_of_version_1_keeps_its_connections_and_gets_room_for_secrets() {
        let site = Site::new();
        site.migrate(&MIGRATIONS[..1]).unwrap();
        site.db()
            .execute_batch(
                "INSERT INTO connection (id, revision, name, name_key, driver_type, folder, environment, read_only,
                                         deadline, secret_place, created_us, updated_us)
                 VALUES (zeroblob(16), 3, 'Orders', 'orders', 'postgres', '', 'red', 1, 'none', 'ask', 1, 2);
                 INSERT INTO parameter VALUES (zeroblob(16), 0, 'host', 'db.example.org')",
            )
            .unwrap();

        site.migrate(MIGRATIONS).unwrap();

        let found = crate::connection::rows::all(&site.db()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].revision, found[0].settings.name.as_str()), (3, "Orders"));
        assert_eq!(found[0].settings.secret_scope, crate::SecretScope::Shared);
        assert_eq!(found[0].settings.parameters.len(), 1);
        assert_eq!(crate::credential::rows::of(&site.db(), None).unwrap(), []);
        assert!(beside(&site.path(), ".backup-v1").exists());
    }

    #[test]
    fn an_empty_store_is_migrated_without_a_backup() {
        let site = Site::new();
        site.migrate(&[FIRST]).unwrap();
        site.migrate(&[FIRST, SECOND]).unwrap();
        assert!(!beside(&site.path(), ".backup-v1").exists());
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_version() {
        let site = Site::new();
        site.migrate(&[FIRST]).unwrap();
        site.add_note("kept");
        for wrong in [BROKEN, ORPHANS] {
            assert!(matches!(site.migrate(&[FIRST, SECOND, wrong]), Err(Error::Storage(_))), "{wrong}");
            assert_eq!(check(&site.db(), &[FIRST]).unwrap(), 1);
            assert_eq!(site.texts(), ["kept"]);
        }
        site.migrate(&[FIRST, SECOND]).unwrap();
        assert_eq!(site.texts(), ["kept"]);
    }

    #[test]
    fn an_applied_migration_must_not_change_except_in_line_ends() {
        let site = Site::new();
        site.migrate(&[FIRST, SECOND]).unwrap();
        let check_with = |migrations: &[&str]| check(&site.db(), migrations);
        assert!(matches!(check_with(&["SELECT 1", SECOND]), Err(Error::ChangedMigration { number: 1 })));
        assert!(matches!(check_with(&[FIRST, "SELECT 1"]), Err(Error::ChangedMigration { number: 2 })));
        assert_eq!(check_with(&[&FIRST.replace('\n', "\r\n"), SECOND]).unwrap(), 2);
        assert!(matches!(check_with(&[FIRST]), Err(Error::Newer { found: 2, supported: 1 })));
    }
}
