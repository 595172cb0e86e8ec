//! Every storage class in every kind of column, exactly.

use querybox_plugin::pb;

use crate::database::{Database, cells, show};

/// Values of all storage classes, as a query. An affinity changes some of them when they are stored.
const ALL: &str =
    "select null union all select 1 union all select 2.5 union all select 'text' union all select x'00ff'";

async fn stored_as(declared: &str, expected: &[&str]) {
    let database = Database::new();
    let mut session = database.session().await;
    let sql = format!("create table t(v {declared}); insert into t {ALL}; select v from t");
    let answer = session.run(&sql).await;
    assert_eq!(show(&answer)[2..], *expected, "{declared}");
    let column = &answer.statements[2].header.as_ref().unwrap().columns[0];
    assert_eq!(column.database_type, declared);
}

#[tokio::test]
async fn each_storage_class_is_exact_under_each_affinity() {
    stored_as(
        "INTEGER",
        &["v Integer", "NULL", "1", "FloatPoint 2.5", "Text text", "BytesHex \\x00ff", "SELECT"],
    )
    .await;
    stored_as("REAL", &["v FloatPoint", "NULL", "1.0", "2.5", "Text text", "BytesHex \\x00ff", "SELECT"])
        .await;
    stored_as("VARCHAR(9)", &["v Text", "NULL", "'1'", "'2.5'", "'text'", "BytesHex \\x00ff", "SELECT"])
        .await;
    stored_as("BLOB", &["v BytesHex", "NULL", "Integer 1", "FloatPoint 2.5", "Text text", "x00ff", "SELECT"])
        .await;
    stored_as(
        "DECIMAL(5,2)",
        &["v Decimal", "NULL", "'1'", "'2.5'", "Text text", "BytesHex \\x00ff", "SELECT"],
    )
    .await;
    // The first value is NULL, so nothing says that these are numbers.
    stored_as(
        "DATETIME",
        &["v Text", "NULL", "Integer 1", "FloatPoint 2.5", "'text'", "BytesHex \\x00ff", "SELECT"],
    )
    .await;
    stored_as(
        "JSON",
        &["v Json", "NULL", "Integer 1", "FloatPoint 2.5", "'text'", "BytesHex \\x00ff", "SELECT"],
    )
    .await;
}

#[tokio::test]
async fn an_expression_has_the_kind_of_its_first_value() {
    let database = Database::new();
    let mut session = database.session().await;
    let first = async |session: &mut crate::database::Session, value: &str, expected: &[&str]| {
        let answer = session.run(&format!("select v from (select {value} as v union all {ALL})")).await;
        assert_eq!(show(&answer)[..3], *expected);
        assert_eq!(answer.statements[0].header.as_ref().unwrap().columns[0].database_type, "");
    };
    first(&mut session, "5", &["v Integer", "5", "NULL"]).await;
    first(&mut session, "5e0", &["v FloatPoint", "5.0", "NULL"]).await;
    first(&mut session, "''", &["v Text", "''", "NULL"]).await;
    first(&mut session, "x''", &["v BytesHex", "x", "NULL"]).await;
    first(&mut session, "null", &["v Text", "NULL", "NULL"]).await;
}

#[tokio::test]
async fn extremes_are_exact() {
    let database = Database::new();
    let mut session = database.session().await;
    session
        .shows(
            "select 9223372036854775807 as i union all select -9223372036854775807 - 1",
            &["i Integer", "9223372036854775807", "-9223372036854775808", "SELECT"],
        )
        .await;
    session
        .shows(
            "select 0.0 as r union all select -0.0 union all select 1e308 union all select 5e-324 \
             union all select 9e999 union all select -9e999 union all select 9e999 - 9e999",
            &["r FloatPoint", "0.0", "-0.0", "1e308", "5e-324", "inf", "-inf", "NULL", "SELECT"],
        )
        .await;
    session
        .shows(
            "select '' as t union all select 1e100 union all select 9e999 union all select -9e999 union all select 1.0
             union all select 9007199254740993",
            &[
                "t Text",
                "''",
                "FloatPoint 1e+100",
                "FloatPoint Infinity",
                "FloatPoint -Infinity",
                "FloatPoint 1.0",
                "Integer 9007199254740993",
                "SELECT",
            ],
        )
        .await;
    session
        .shows(
            "create table d(v DECIMAL); insert into d values (0.1), (12345678901234567890), (1e300); select v from d",
            &[
                "CREATE TABLE",
                "INSERT 3",
                "v Decimal",
                "'0.1'",
                "FloatPoint 1.2345678901234567e+19",
                "FloatPoint 1e+300",
                "SELECT",
            ],
        )
        .await;
}

#[tokio::test]
async fn text_that_is_no_text_is_told_as_its_bytes() {
    let database = Database::new();
    let mut session = database.session().await;
    session
        .shows(
            "select cast(x'61ff62' as text) as t union all select 'a' || char(0) || 'ß🦀' union all select char(10)",
            &["t Text", "undecodable [61, ff, 62]", "'a\0ß🦀'", "'\n'", "SELECT"],
        )
        .await;
    // In a column of another kind too.
    session
        .shows(
            "select 1 as i union all select cast(x'ff' as text)",
            &["i Integer", "1", "undecodable [ff]", "SELECT"],
        )
        .await;
}

#[tokio::test]
async fn utf_16_databases_read_alike() {
    let database = Database::made_by(
        "pragma encoding = 'UTF-16le'; create table t(v text); insert into t values ('ß🦀')",
    );
    let mut session = database.session().await;
    session.shows("select v from t", &["v Text", "'ß🦀'", "SELECT"]).await;
}

#[tokio::test]
async fn large_blobs_are_cut_and_say_so() {
    let database = Database::new();
    let mut session = database.session().await;
    let answer =
        session.run("select zeroblob(20000000) as b, 1 as i union all select null, zeroblob(20000000)").await;
    let notes: Vec<_> = answer.statements[0].batches.iter().flat_map(|(_, notes)| notes).collect();
    assert!(matches!(notes[0].note, Some(pb::cell_note::Note::CutAtSize(20_000_000))), "{:?}", notes[0].note);
    // Outside a blob column a blob of this size travels as bytes.
    assert!(
        matches!(&notes[1].note, Some(pb::cell_note::Note::UndecodableBytes(bytes)) if !bytes.is_empty())
    );
    assert_eq!(notes[1].full_size_bytes, 20_000_000);
}

#[tokio::test]
async fn results_of_every_shape_keep_it() {
    let database = Database::new();
    let mut session = database.session().await;
    session
        .shows(
            "select 1 as a, 'x' as a, null as \"\"",
            &["a Integer, a Text,  Text", "1, 'x', NULL", "SELECT"],
        )
        .await;
    session
        .shows("create table t(a int, b); select * from t", &["CREATE TABLE", "a Integer, b Text", "SELECT"])
        .await;
    session
        .shows("values (1, 2), (3, 4)", &["column1 Integer, column2 Integer", "1, 2", "3, 4", "VALUES"])
        .await;
    session.shows("pragma user_version", &["user_version Integer", "0", "PRAGMA"]).await;

    let columns = (0..2_000).map(|column| format!("{column} as c{column}")).collect::<Vec<_>>().join(", ");
    let answer = session.run(&format!("select {columns}")).await;
    let row = &cells(&answer.statements[0])[0];
    assert_eq!((row.len(), row[1_999].as_str()), (2_000, "1999"));
}

#[tokio::test]
async fn columns_tell_where_they_come_from() {
    let database = Database::new();
    let mut session = database.session().await;
    let answer = session
        .run(
            "create table t(id integer primary key, n text not null, o);
             create view w as select n as m from t;
             insert into t values (1, 'a', null);
             select id, n, o, m, n || '' as x, a.n as again from t as a, w",
        )
        .await;
    let statement = answer.statements.last().unwrap();
    let facts: Vec<_> = statement
        .facts
        .iter()
        .map(|fact| {
            let origin = format!("{}.{}.{}", fact.origin_schema, fact.origin_table, fact.origin_column);
            (fact.column, origin, fact.primary_key, fact.nullable)
        })
        .collect();
    assert_eq!(
        facts,
        [
            (0, "main.t.id".into(), true, None),
            (1, "main.t.n".into(), false, Some(false)),
            (2, "main.t.o".into(), false, Some(true)),
            (3, "main.t.n".into(), false, Some(false)),
            (5, "main.t.n".into(), false, Some(false)),
        ]
    );
    let columns = &statement.header.as_ref().unwrap().columns;
    assert_eq!(columns[4].origin_id, "");
    assert_eq!(columns[1].origin_id, columns[5].origin_id);
    assert_ne!(columns[1].origin_id, columns[2].origin_id);
}
