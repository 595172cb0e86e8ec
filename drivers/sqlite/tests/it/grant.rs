//! What statements must not do: write through a read-only connection, leave the folder, load code.

use std::fs;

use crate::database::{Database, Session, show};

/// The rejection's first line and its detail.
async fn refusal(session: &mut Session, sql: &str) -> (String, String) {
    let answer = session.run(sql).await;
    let shown = show(&answer).last().cloned().unwrap_or_default();
    let rejection = answer.statements.last().and_then(|statement| statement.rejection.as_ref());
    (shown, rejection.unwrap_or_else(|| panic!("it is refused: {sql}: {answer:?}")).detail.clone())
}

#[tokio::test]
async fn read_only_holds_against_what_statements_try() {
    let database = Database::made_by("create table a(b unique); insert into a values (1)");
    let before = fs::read(database.file()).unwrap();
    let mut session = database.read_only().await;
    for attack in [
        "insert into a values (2)",
        "delete from a returning b",
        "with x as (select 2) insert into a select * from x",
        "pragma query_only = off; delete from a",
        // SQLite lets the transaction begin, as one that reads.
        "begin immediate; delete from a",
        "create table b(c)",
        "create index i on a(b)",
        "drop table a",
        "pragma query_only = off; pragma user_version = 7",
        "pragma query_only = off; pragma journal_mode = wal; pragma user_version = 7",
        "pragma query_only = off; vacuum",
        "pragma query_only = off; reindex",
        "analyze",
    ] {
        let (shown, _) = refusal(&mut session, attack).await;
        assert!(shown.starts_with("25006 SQLITE_READONLY"), "{attack}: {shown}");
        session.run("rollback").await;
    }
    let into = format!("pragma query_only = off; vacuum into '{}/copy'", database.folder().display());
    assert_eq!(
        refusal(&mut session, &into).await,
        ("42501 SQLITE_AUTH: authorization denied".into(), "the connection is read-only".into())
    );
    let attach = format!(
        "pragma query_only = off; attach '{0}/new' as n; create table n.x(y)",
        database.folder().display()
    );
    refusal(&mut session, &attach).await;
    drop(session);
    assert_eq!(fs::read(database.file()).unwrap(), before);
    let left: Vec<_> =
        fs::read_dir(database.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["shop.sqlite"], "nothing was made beside it");

    // The same statements work where they may, so it was the connection that refused them.
    let mut session = database.session().await;
    session
        .shows("insert into a values (2); begin immediate; rollback", &["INSERT 1", "BEGIN", "ROLLBACK"])
        .await;
    assert_eq!(show(&session.run(&into).await)[0], "PRAGMA");
    assert!(database.folder().join("copy").is_file());
}

#[tokio::test]
async fn files_of_the_folder_are_attached_and_no_others() {
    let database = Database::made_by("create table a(b)");
    let other = Database::made_by("create table secret(b)");
    let folder = database.folder().display().to_string();
    std::os::unix::fs::symlink(other.file(), database.folder().join("link")).unwrap();
    let mut session = database.session().await;

    let outside =
        |file: &str| format!("{file:?} is not the whole path of a file in the connection's folder, {folder}");
    let other_file = other.file().display().to_string();
    let there = database.file().parent().unwrap().parent().unwrap().join("new.sqlite").display().to_string();
    for file in [
        other_file.as_str(),
        there.as_str(),
        "relative.sqlite",
        "/",
        "/etc/passwd",
        &format!("{folder}/link"),
        &format!("{folder}/../{}/shop.sqlite", other.folder().file_name().unwrap().to_str().unwrap()),
        &format!("{folder}/.."),
    ] {
        assert_eq!(
            refusal(&mut session, &format!("attach '{file}' as x")).await,
            ("42501 SQLITE_AUTH: not authorized".into(), outside(file))
        );
    }
    let uri = "a database is attached by its path, not by a URI";
    for file in [format!("file:{other_file}"), format!("file:{folder}/x?vfs=unix-none"), "FILE:x".into()] {
        assert_eq!(refusal(&mut session, &format!("attach '{file}' as x")).await.1, uri);
    }
    let literal = "a database is attached by a literal file name only";
    assert_eq!(refusal(&mut session, &format!("attach '{folder}' || '/x' as x")).await.1, literal);
    assert_eq!(
        refusal(&mut session, &format!("vacuum into '{there}'")).await,
        ("42501 SQLITE_AUTH: authorization denied".into(), outside(&there))
    );
    assert_eq!(refusal(&mut session, "vacuum into 'file:/tmp/x'").await.1, uri);
    assert_eq!(
        refusal(&mut session, "pragma temp_store_directory = '/'").await.1,
        "files stay in the folder of the connection's database"
    );

    session
        .shows(
            &format!(
                "attach '{folder}/beside' as b; create table b.c(d); attach ':memory:' as m; vacuum; detach b"
            ),
            &["ATTACH", "CREATE TABLE", "ATTACH", "VACUUM", "DETACH"],
        )
        .await;
    session.shows(&format!("vacuum into '{folder}/copy'"), &["VACUUM"]).await;
}

#[tokio::test]
async fn no_code_is_loaded_and_no_bookkeeping_overwritten() {
    let database = Database::made_by("create table a(b)");
    let mut session = database.session().await;
    let (shown, detail) = refusal(&mut session, "select load_extension('/tmp/x.so')").await;
    assert_eq!(shown, "42501 SQLITE_ERROR: not authorized to use function: load_extension");
    assert_eq!(detail, "extensions are not loaded");
    for attack in [
        "pragma writable_schema = on; update sqlite_schema set sql = 'x'",
        "create virtual table f using fts5(x); insert into f_config values ('version', 5)",
        "select fts3_tokenizer('simple', x'0000000000000000')",
    ] {
        refusal(&mut session, attack).await;
    }
}
