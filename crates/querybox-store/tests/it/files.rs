//! The file: its mode, its place, and what is refused.

use std::{collections::BTreeMap, fs, path::Path, time::SystemTime};

use querybox_store::{Error, Store};
use rusqlite::config::DbConfig;

use crate::{
    Site, at,
    history::{RUN_LIMITS, filter, run},
    names, settings,
};

/// Every file of a folder with its bytes and the time of its last change.
fn snapshot(folder: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        files.insert(name, (fs::read(entry.path()).unwrap(), entry.metadata().unwrap().modified().unwrap()));
    }
    files
}

async fn refused(site: &Site) -> Error {
    Store::open(&site.path()).await.err().expect("the store must be refused")
}

/// Opens the store, which must refuse, and leave the folder as it is.
async fn refused_untouched(site: &Site) -> Error {
    let before = snapshot(site.folder.path());
    let refusal = refused(site).await;
    assert!(snapshot(site.folder.path()) == before, "the folder was touched: {refusal}");
    refusal
}

async fn site_with_a_store() -> Site {
    let site = Site::new();
    let store = site.open().await;
    store.create_connection(settings("kept"), at(0)).await.unwrap();
    store.close().await;
    assert_eq!(snapshot(site.folder.path()).into_keys().collect::<Vec<_>>(), ["store.db"]);
    site
}

#[tokio::test]
async fn notes_wait_in_the_wal_for_whoever_writes_next() {
    let site = site_with_a_store().await;
    let file = || snapshot(site.folder.path())["store.db"].clone();
    let before = file();
    for number in 1..=3 {
        let store = site.open().await;
        store.record_run(run(number), None, RUN_LIMITS, at(0));
        store.close().await;
        let store = site.open().await;
        assert_eq!(store.runs(filter(), None, 10).await.unwrap().len(), number as usize);
        // One that is only dropped closes its file at some time, and moves the WAL.
        store.close().await;
        assert!(file() == before, "the file was changed for a note");
    }
    // A WAL that has grown long is moved all the same.
    let store = site.open().await;
    for number in 4..=600 {
        store.record_run(run(number), None, RUN_LIMITS, at(0));
    }
    store.close().await;
    assert_eq!(snapshot(site.folder.path()).into_keys().collect::<Vec<_>>(), ["store.db"]);

    let store = site.open().await;
    store.record_run(run(601), None, RUN_LIMITS, at(0));
    store.create_connection(settings("another"), at(0)).await.unwrap();
    store.close().await;
    assert_eq!(snapshot(site.folder.path()).into_keys().collect::<Vec<_>>(), ["store.db"]);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let site = Site::new();
    let store = site.open().await;
    store.create_connection(settings("a"), at(0)).await.unwrap();
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        let mode = fs::metadata(site.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn any_path_will_do() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let folder = tempfile::tempdir().unwrap();
    for name in ["file:a?mode=memory", "große Bücher #1 %41", "'; --"] {
        let path = folder.path().join(name);
        Store::open(&path).await.unwrap().close().await;
        assert!(path.exists(), "{name}");
    }
    let path = folder.path().join(OsStr::from_bytes(b"not \xff utf-8"));
    Store::open(&path).await.unwrap().close().await;
    assert!(path.exists());
}

#[tokio::test]
async fn a_missing_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let answer = Store::open(&folder.path().join("missing/store.db")).await;
    assert!(matches!(answer.err(), Some(Error::Storage(_))));
}

#[tokio::test]
async fn the_file_is_durable_and_has_its_marks() {
    let site = site_with_a_store().await;
    let pragma = |name: &str| {
        site.raw().pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
    };
    assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
    assert_eq!(pragma("application_id"), 0x5142_6f78_i64.into());
    assert_eq!(pragma("user_version"), 4_i64.into());
    // A fresh store has another id than any other one.
    let (one, other) = (site.open().await, Site::new().open().await);
    assert_ne!(one.id(), other.id());
    assert_eq!(one.id().as_uuid().get_version_num(), 4);
}

#[tokio::test]
async fn a_newer_store_is_refused_untouched() {
    let site = site_with_a_store().await;
    let raw = site.raw();
    raw.pragma_update(None, "user_version", 99).unwrap();
    raw.close().unwrap();

    let refusal = refused_untouched(&site).await;
    assert!(matches!(refusal, Error::Newer { found: 99, supported: 4 }), "{refusal}");
    assert_eq!(refusal.to_string(), "the store has version 99, this program knows versions up to 4");
}

#[tokio::test]
async fn a_newer_store_that_crashed_is_refused_untouched() {
    let site = site_with_a_store().await;
    let raw = site.raw();
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    raw.close().unwrap();
    // The version lies in the WAL alone, as after a crash.
    let bytes = |name: &str| fs::read(site.folder.path().join(name)).unwrap();
    let (file, wal) = (bytes("store.db"), bytes("store.db-wal"));
    assert!(!wal.is_empty());

    let refusal = refused(&site).await;
    assert!(matches!(refusal, Error::Newer { found: 99, supported: 4 }), "{refusal}");
    assert!(bytes("store.db") == file && bytes("store.db-wal") == wal);

    // The same store without that WAL frame is ours: the harness above did refuse for the version.
    fs::remove_file(site.folder.path().join("store.db-wal")).unwrap();
    assert_eq!(names(&site.open().await.connections().await.unwrap()), ["kept"]);
}

#[tokio::test]
async fn a_changed_migration_is_refused_untouched() {
    for damage in ["UPDATE migration SET checksum = zeroblob(32)", "DELETE FROM migration"] {
        let site = site_with_a_store().await;
        let raw = site.raw();
        raw.execute(damage, []).unwrap();
        raw.close().unwrap();

        let refusal = refused_untouched(&site).await;
        assert!(matches!(refusal, Error::ChangedMigration { number: 1 }), "{refusal}");
    }
}

#[tokio::test]
async fn what_is_not_a_store_is_refused_untouched() {
    let other_program = Site::new();
    let raw = other_program.raw();
    raw.execute_batch("CREATE TABLE connection (id); PRAGMA user_version = 1").unwrap();
    raw.close().unwrap();
    assert!(matches!(refused_untouched(&other_program).await, Error::Storage(_)));

    let text = Site::new();
    fs::write(text.path(), "not a database, but long enough for the header of one. ".repeat(20)).unwrap();
    assert!(matches!(refused_untouched(&text).await, Error::Storage(_)));
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    // What is left when the first start is killed before its first commit.
    let site = Site::new();
    fs::write(site.path(), "").unwrap();
    let store = site.open().await;
    store.create_connection(settings("a"), at(0)).await.unwrap();
}
