//! The store, through its public API.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test by panicking, as tests do")]

mod children;
mod concurrent;
mod credentials;
mod disk_full;
mod drafts;
mod durable;
mod files;
mod history;
mod keys;
mod killed;
mod story;

use std::path::PathBuf;

use jiff::Timestamp;
use querybox_store::{
    Connection, ConnectionSettings, Deadline, Environment, Folder, HistoryLevel, Parameter, SecretPlace,
    SecretScope, Store,
};

/// A folder of its own for each test, gone with it.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Site {
        Site { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    async fn open(&self) -> Store {
        Store::open(&self.path()).await.unwrap()
    }

    /// The file as SQLite sees it, past the store.
    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// The plainest connection of that name.
fn settings(name: &str) -> ConnectionSettings {
    ConnectionSettings {
        name: name.parse().unwrap(),
        driver_type: "sqlite".parse().unwrap(),
        parameters: parameters(&[("file", "/data/shop.db"), ("label", name)]),
        folder: Folder::default(),
        environment: Environment::None,
        read_only: false,
        deadline: Deadline::Default,
        rows_max: None,
        bytes_max: None,
        startup_sql: None,
        default_schema: None,
        secret_place: SecretPlace::NotNeeded,
        secret_scope: SecretScope::Shared,
        history: HistoryLevel::Texts,
    }
}

fn parameters(pairs: &[(&str, &str)]) -> Vec<Parameter> {
    pairs.iter().map(|&(name, value)| Parameter { name: name.to_owned(), value: value.to_owned() }).collect()
}

fn names(connections: &[Connection]) -> Vec<&str> {
    connections.iter().map(|connection| connection.settings.name.as_str()).collect()
}

fn check_integrity(db: &rusqlite::Connection) {
    let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    assert!(!db.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
}
