//! Opening files, and those that cannot be opened.

use std::{fs, os::unix::fs::PermissionsExt as _};

use querybox_plugin::pb::{self, open_response::Outcome};

use crate::database::Database;

/// Why a session does not open, with the folder's path written as `FOLDER`.
async fn refused(database: &Database, parameters: &[(&str, &str)], options: pb::OpenOptions) -> String {
    let folder = database.folder().to_str().unwrap().to_owned();
    let parameters =
        parameters.iter().map(|(name, value)| ((*name).into(), value.replace("FOLDER", &folder))).collect();
    match database.open(parameters, options).await.1 {
        Err(message) => message.replace(&folder, "FOLDER"),
        Ok(Outcome::Rejection(rejection)) => format!("{}: {}", rejection.sqlstate, rejection.message),
        Ok(opened) => panic!("it opens: {opened:?}"),
    }
}

fn read_only() -> pb::OpenOptions {
    pb::OpenOptions { read_only: true, ..pb::OpenOptions::default() }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_with_its_fault() {
    let database = Database::made_by("create table a(b)");
    let folder = database.folder();
    fs::write(folder.join("text"), "this is no database, but long enough to have a header\n".repeat(99))
        .unwrap();
    fs::create_dir(folder.join("dir")).unwrap();
    let options = pb::OpenOptions::default;

    let missing = "FOLDER/missing does not exist; with `create=true` an empty database is made";
    assert_eq!(refused(&database, &[("file", "FOLDER/missing")], options()).await, missing);
    assert!(!folder.join("missing").exists(), "trying must not make it");
    let create = [("file", "FOLDER/missing"), ("create", "true")];
    assert_eq!(
        refused(&database, &create, read_only()).await,
        "FOLDER/missing does not exist, and a read-only connection does not create it"
    );
    assert_eq!(
        refused(&database, &[("file", "FOLDER/no/x"), ("create", "true")], options()).await,
        "the folder of FOLDER/no/x does not exist"
    );
    assert_eq!(refused(&database, &[("file", "FOLDER/dir")], options()).await, "FOLDER/dir is a folder");
    assert_eq!(
        refused(&database, &[("file", "FOLDER/text")], options()).await,
        "FOLDER/text is not a SQLite database, or it is encrypted"
    );
    assert_eq!(
        refused(&database, &[("file", "shop.sqlite")], options()).await,
        "parameter \"file\" is \"shop.sqlite\", not a whole path"
    );
    let patient = [("file", "FOLDER/shop.sqlite"), ("busy_timeout_ms", "-1")];
    assert_eq!(
        refused(&database, &patient, options()).await,
        "parameter \"busy_timeout_ms\" is \"-1\", not 0 to 3600000"
    );
    let elsewhere = pb::OpenOptions { default_schema: "other".into(), ..options() };
    assert_eq!(
        refused(&database, &[("file", "FOLDER/shop.sqlite")], elsewhere).await,
        "parameter \"default_schema\" is \"other\"; SQLite looks names up in main"
    );
}

#[tokio::test]
async fn a_missing_file_is_made_when_asked_and_an_empty_one_is_a_database() {
    let database = Database::new();
    let mut session = database.session().await;
    session.shows("create table a(b); insert into a values (1)", &["CREATE TABLE", "INSERT 1"]).await;
    let count = database.elsewhere().query_row("select count(*) from a", [], |row| row.get::<_, i64>(0));
    assert_eq!(count, Ok(1));
}

#[tokio::test]
async fn a_database_locked_by_another_program_is_a_rejection() {
    let database = Database::made_by("create table a(b)");
    let other = database.elsewhere();
    other.execute_batch("begin exclusive").unwrap();
    let hurried = [("file", "FOLDER/shop.sqlite"), ("busy_timeout_ms", "20")];
    assert_eq!(refused(&database, &hurried, pb::OpenOptions::default()).await, "55P03: database is locked");
}

#[tokio::test]
async fn the_start_up_script_runs_first_and_its_rejection_is_that_of_opening() {
    let database = Database::new();
    let start = |sql: &str| pb::OpenOptions { startup_sql: sql.into(), ..pb::OpenOptions::default() };
    let mut session =
        database.session_with(start("create temp table mine(a); insert into mine values (5);")).await;
    session.shows("select a from mine", &["a Integer", "5", "SELECT"]).await;

    let (_, outcome) = database.open(database.parameters(), start("select 1; selekt 2")).await;
    let Ok(Outcome::Rejection(rejection)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((&*rejection.sqlstate, rejection.position_byte, rejection.statement), ("42601", Some(10), 0));
}

#[tokio::test]
async fn foreign_keys_hold_unless_the_connection_says_otherwise() {
    let database =
        Database::made_by("create table p(id integer primary key); create table c(p references p)");
    let mut session = database.session().await;
    session
        .shows(
            "insert into c values (1)",
            &["23503 SQLITE_CONSTRAINT_FOREIGNKEY: FOREIGN KEY constraint failed"],
        )
        .await;
    let mut parameters = database.parameters();
    parameters.push(("foreign_keys".into(), "false".into()));
    let (client, outcome) = database.open(parameters, pb::OpenOptions::default()).await;
    outcome.unwrap();
    crate::database::Session { client }.shows("insert into c values (1)", &["INSERT 1"]).await;
}

#[tokio::test]
async fn wal_databases_are_read_and_written() {
    let database =
        Database::made_by("pragma journal_mode = wal; create table a(b); insert into a values (1)");
    let mut session = database.session().await;
    session
        .shows("insert into a values (2); select b from a", &["INSERT 1", "b Integer", "1", "2", "SELECT"])
        .await;
    let mut reader = database.read_only().await;
    reader.shows("select count(*) as n from a", &["n Integer", "2", "SELECT"]).await;
    reader.client.close().await;
    session.client.close().await;
}

#[tokio::test]
async fn a_wal_database_in_a_folder_that_cannot_be_written_says_so() {
    let database = Database::made_by("pragma journal_mode = wal; create table a(b)");
    fs::set_permissions(database.folder(), fs::Permissions::from_mode(0o555)).unwrap();
    let outcome = database.open(database.parameters(), read_only()).await.1;
    fs::set_permissions(database.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    // Root writes into any folder, so only an ordinary user sees the fault.
    let root =
        fs::metadata("/proc/self").map(|found| std::os::unix::fs::MetadataExt::uid(&found)).unwrap() == 0;
    match outcome {
        Ok(Outcome::Opened(_)) if root => {
            eprintln!("as root the folder can be written: nothing is shown here")
        }
        Err(message) if !root => assert!(message.contains("WAL mode"), "{message}"),
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn sorts_that_spill_leave_no_file() {
    let database = Database::new();
    let mut session = database.session().await;
    let sql = "with recursive n(i) as (select 1 union all select i + 1 from n limit 300000) \
               select i from n order by printf('%099d', i) desc limit 1 offset 299999";
    session.shows(sql, &["i Integer", "1", "SELECT"]).await;
    let left: Vec<_> =
        fs::read_dir(database.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["shop.sqlite"]);
}

#[tokio::test]
async fn a_hostile_schema_breaks_its_statement_and_not_the_session() {
    let database = Database::made_by("create table a(bb); insert into a values (1)");
    database
        .elsewhere()
        .execute_batch(
            "pragma writable_schema = on;
             update sqlite_schema set sql = cast(replace(cast(sql as blob), 'bb', x'62ff') as text)",
        )
        .unwrap();
    let mut session = database.session().await;
    // rusqlite takes no such name before the authorizer, and what the authorizer cannot see is denied.
    session.shows("select * from a", &["42501 SQLITE_AUTH: access to a.b\u{fffd} is prohibited"]).await;
    session.shows("select 1 as a", &["a Integer", "1", "SELECT"]).await;
}
