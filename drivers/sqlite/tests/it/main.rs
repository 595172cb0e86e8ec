//! The driver through its contract: served in process, and as the built program.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test by panicking, as tests do")]

mod cancel;
mod database;
mod files;
mod grant;
mod program;
mod schema;
mod scripts;
mod values;

use database::Database;
use querybox_driver_sqlite::Sqlite;
use querybox_plugin::testkit::{Cases, check};

#[tokio::test]
async fn it_holds_what_any_driver_must_hold() {
    let database = Database::new();
    let columns: Vec<_> = (0..2_000).map(|column| format!("{column} as c{column}")).collect();
    let cases = Cases {
        parameters: database.parameters(),
        secrets: vec![],
        one_row: "select 1",
        syntax_error: "selekt 1",
        empty_result: "select 1 where false",
        zero_columns: None,
        duplicate_names: "select 1 as a, 2 as a",
        wide_row: (format!("select {}", columns.join(", ")), 2_000),
        huge_cell: ("select hex(zeroblob(20000000))", 40_000_000),
        noted_cell: Some("select 1 union all select 'two'"),
        endless: "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n",
    };
    check(|| Sqlite, &cases).await;
}
