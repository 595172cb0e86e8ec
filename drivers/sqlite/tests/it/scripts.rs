//! Scripts: what runs, what stops, what is kept.

use querybox_plugin::pb;

use crate::database::{Database, show};

const PAIR: &str = "create table a(id integer primary key, b int unique); insert into a values (1, 1);";

#[track_caller]
fn spans(sql: &str, answer: &querybox_plugin::testkit::Answer) -> Vec<String> {
    let text = |span: &pb::Span| sql[span.start_byte as usize..span.end_byte as usize].to_owned();
    answer
        .statements
        .iter()
        .filter_map(|statement| Some(text(statement.header.as_ref()?.span.as_ref()?)))
        .collect()
}

#[tokio::test]
async fn each_statement_has_its_result_and_its_place() {
    let database = Database::new();
    let mut session = database.session().await;
    let sql = " -- ä comment\n;create table log(x);
        create table a(x);
        create trigger t after insert on a begin insert into log values (new.x); delete from a where 0; end;
        insert into a values (1), (2);; /* and */ update a set x = x + 1 where x > 1; select count(*) as n from log; -- end";
    let answer = session.run(sql).await;
    assert_eq!(
        show(&answer),
        [
            "CREATE TABLE",
            "CREATE TABLE",
            "CREATE TRIGGER",
            "INSERT 2",
            "UPDATE 1",
            "n Integer",
            "2",
            "SELECT",
        ]
    );
    assert_eq!(
        spans(sql, &answer),
        [
            "create table log(x)",
            "create table a(x)",
            "create trigger t after insert on a begin insert into log values (new.x); delete from a where 0; end",
            "insert into a values (1), (2)",
            "update a set x = x + 1 where x > 1",
            "select count(*) as n from log",
        ]
    );
    let affected: Vec<_> =
        answer.statements.iter().map(|statement| statement.summary.as_ref().unwrap().affected_rows).collect();
    assert_eq!(affected, [None, None, None, Some(2), Some(1), None]);
    session.shows(" ; -- nothing", &[]).await;
}

#[tokio::test]
async fn a_rejection_points_into_the_script_and_stops_it() {
    let database = Database::new();
    let mut session = database.session().await;
    let sql = "select 1 as ä; -- ü\n select * frum a; select 2";
    let answer = session.run(sql).await;
    assert_eq!(
        show(&answer),
        ["ä Integer", "1", "SELECT", "42601 SQLITE_ERROR: near \"frum\": syntax error"]
    );
    let rejection = answer.statements[1].rejection.as_ref().unwrap();
    assert_eq!(rejection.position_byte, Some(sql.find("frum").unwrap() as u32));
    assert_eq!(rejection.statement, 1);
}

#[tokio::test]
async fn on_error_continue_runs_the_rest() {
    let database = Database::new();
    let mut session = database.session().await;
    let answer = session
        .run_with("select 1 as a; nonsense; select 2 as b", |request| {
            request.set_on_error(pb::OnError::Continue);
        })
        .await;
    assert_eq!(
        show(&answer),
        [
            "a Integer",
            "1",
            "SELECT",
            "42601 SQLITE_ERROR: near \"nonsense\": syntax error",
            "b Integer",
            "2",
            "SELECT",
        ]
    );
}

#[tokio::test]
async fn what_ran_before_a_rejection_is_kept_unless_it_was_one_transaction() {
    let database = Database::made_by(PAIR);
    let mut session = database.session().await;
    let script = "insert into a values (2, 2); insert into a values (3, 2); insert into a values (4, 4)";
    let unique = "23505 SQLITE_CONSTRAINT_UNIQUE: UNIQUE constraint failed: a.b";

    let answer = session.run_with(script, |request| request.single_transaction = true).await;
    assert_eq!(show(&answer), ["INSERT 1", unique]);
    let summary = answer.statements[0].summary.as_ref().unwrap();
    assert_eq!(summary.transaction_state(), pb::TransactionState::Open);
    let rejection = answer.statements[1].rejection.as_ref().unwrap();
    assert_eq!(rejection.transaction_state(), pb::TransactionState::Idle);
    assert_eq!(rejection.detail, "Nothing of the script is kept: it ran as a single transaction.");
    session.shows("select count(*) as n from a", &["n Integer", "1", "SELECT"]).await;

    let answer = session
        .run_with(script, |request| {
            request.single_transaction = true;
            request.set_on_error(pb::OnError::Continue);
        })
        .await;
    assert_eq!(show(&answer), ["INSERT 1", unique, "INSERT 1"]);
    session.shows("select count(*) as n from a", &["n Integer", "1", "SELECT"]).await;

    session.shows(script, &["INSERT 1", unique]).await;
    session.shows("select count(*) as n from a", &["n Integer", "2", "SELECT"]).await;
    let other = database.elsewhere();
    assert_eq!(other.query_row("select count(*) from a", [], |row| row.get::<_, i64>(0)).unwrap(), 2);
}

#[tokio::test]
async fn a_single_transaction_commits_and_its_statements_cannot_end_it() {
    let database = Database::made_by(PAIR);
    let mut session = database.session().await;
    let single = |request: &mut pb::ExecuteRequest| request.single_transaction = true;
    let answer = session.run_with("insert into a values (2, 2); insert into a values (3, 3)", single).await;
    assert_eq!(show(&answer), ["INSERT 1", "INSERT 1"]);
    session.shows("select count(*) as n from a", &["n Integer", "3", "SELECT"]).await;

    for end in ["commit", "end", "rollback"] {
        let answer = session.run_with(&format!("delete from a; {end}; select 1"), single).await;
        assert_eq!(show(&answer), ["DELETE 3", "42501 SQLITE_AUTH: not authorized"], "{end}");
        let detail = &answer.statements[1].rejection.as_ref().unwrap().detail;
        assert_eq!(detail, "the script runs as a single transaction, which ends with the script");
    }
    let answer = session.run_with("delete from a; begin", single).await;
    assert_eq!(
        show(&answer),
        ["DELETE 3", "25001 SQLITE_ERROR: cannot start a transaction within a transaction"]
    );
    // SQLite itself rolls back here; nothing may run outside of the transaction afterwards.
    let answer = session
        .run_with("insert or rollback into a values (9, 1); insert into a values (8, 8)", |request| {
            request.single_transaction = true;
            request.set_on_error(pb::OnError::Continue);
        })
        .await;
    assert_eq!(show(&answer), ["23505 SQLITE_CONSTRAINT_UNIQUE: UNIQUE constraint failed: a.b"]);
    session.shows("select count(*) as n from a", &["n Integer", "3", "SELECT"]).await;
    // Outside of a single transaction they are the script's own.
    session.shows("begin; delete from a; rollback", &["BEGIN", "DELETE 3", "ROLLBACK"]).await;
}

#[tokio::test]
async fn a_commit_that_fails_is_a_rejection_behind_the_script() {
    let database = Database::made_by(
        "create table p(id integer primary key); create table c(p references p deferrable initially deferred)",
    );
    let mut session = database.session().await;
    let sql = "insert into c values (7)";
    let answer = session.run_with(sql, |request| request.single_transaction = true).await;
    assert_eq!(
        show(&answer),
        ["INSERT 1", "23503 SQLITE_CONSTRAINT_FOREIGNKEY: FOREIGN KEY constraint failed"]
    );
    assert_eq!(
        answer.statements[1].rejection.as_ref().unwrap().transaction_state(),
        pb::TransactionState::Idle
    );
    session.shows("select count(*) as n from c", &["n Integer", "0", "SELECT"]).await;
}

#[tokio::test]
async fn a_one_shot_script_that_leaves_its_transaction_open_is_rolled_back() {
    let database = Database::made_by(PAIR);
    let mut session = database.session().await;
    let answer = session.run_with("begin; delete from a", |request| request.one_shot = true).await;
    assert_eq!(show(&answer), ["BEGIN", "DELETE 1", "25000 rolled back: one-shot session"]);
    session.shows("select count(*) as n from a", &["n Integer", "1", "SELECT"]).await;

    // A session that goes on keeps it open, and says so.
    let answer = session.run("begin; delete from a").await;
    let state = |answer: &querybox_plugin::testkit::Answer| {
        answer.statements.last().unwrap().summary.as_ref().unwrap().transaction_state()
    };
    assert_eq!(state(&answer), pb::TransactionState::Open);
    let answer = session.run("rollback").await;
    assert_eq!(state(&answer), pb::TransactionState::Idle);
}

#[tokio::test]
async fn a_write_that_returns_rows_is_done_whatever_the_reader_wants() {
    let database = Database::made_by("create table a(b)");
    let mut session = database.session().await;
    let sql = "insert into a values (1), (2), (3) returning b";
    let answer = session.run_with(sql, |request| request.rows_max = 1).await;
    assert_eq!(show(&answer), ["b Integer", "1", "INSERT 3"]);
    let summary = answer.statements[0].summary.as_ref().unwrap();
    assert_eq!((summary.rows, summary.stopped_by()), (1, pb::StoppedBy::RowsMax));
    session.shows("select count(*) as n from a", &["n Integer", "3", "SELECT"]).await;
}

#[tokio::test]
async fn a_nul_does_not_hide_what_stands_behind_it() {
    let database = Database::made_by("create table a(b)");
    let mut session = database.session().await;
    session
        .shows(
            "insert into a values (1); select 1\0; delete from a",
            &["INSERT 1", "42601 SQLITE_ERROR: unrecognized token: a NUL character"],
        )
        .await;
}

async fn bound(sql: &str, bindings: &[(&str, Option<&str>)], expected: Result<&[&str], &str>) {
    let database = Database::made_by("create table a(id integer, t text); insert into a values (7, 'seven')");
    let mut session = database.session().await;
    let mut request = session.client.execute_request(sql);
    request.bindings = bindings
        .iter()
        .map(|(name, text)| pb::Binding { name: (*name).into(), text: text.map(str::to_owned) })
        .collect();
    let answer = session.client.execute_with(request).await;
    let shown = answer.as_ref().map(show).map_err(|status| status.message());
    assert_eq!(shown, expected.map(|lines| lines.iter().map(ToString::to_string).collect()), "{sql}");
}

#[tokio::test]
async fn parameters_take_their_values_by_name_and_number() {
    let seven: Result<&[&str], _> = Ok(&["t Text", "'seven'", "SELECT"]);
    bound("select t from a where id = ?", &[("1", Some("7"))], seven).await;
    bound("select t from a where id = ?1 and id = ?1", &[("1", Some("7"))], seven).await;
    bound("select t from a where id = :id", &[("id", Some("7"))], seven).await;
    bound("select t from a where id = @id or id = $id", &[("id", Some("7"))], seven).await;
    bound("select t from a where id = ?5", &[("5", Some("7"))], seven).await;
    bound("select t from a where id = ?2 and t = ?", &[("2", Some("7")), ("3", Some("seven"))], seven).await;
    bound(
        "select typeof(?) as a, typeof(?) as b, ? || '!' as c",
        &[("1", Some("1")), ("2", None), ("3", Some("ä'"))],
        Ok(&["a Text, b Text, c Text", "'text', 'null', 'ä'!'", "SELECT"]),
    )
    .await;
}

#[tokio::test]
async fn values_and_parameters_must_match() {
    bound("select ?", &[], Err("parameter \"1\" has no value")).await;
    bound("select :id", &[("di", Some("7"))], Err("parameter \"id\" has no value")).await;
    bound("select 1", &[("id", Some("7"))], Err("the statement has no parameter \"id\"")).await;
    bound("select ?5", &[("5", None), ("4", None)], Err("the statement has no parameter \"4\"")).await;
    bound("select ?", &[("1", None), ("1", None)], Err("the value for parameter \"1\" is given twice")).await;
    bound(
        "select ?; select 1",
        &[("1", None)],
        Err("values for parameters go with a script of one statement"),
    )
    .await;
}
