//! What any driver must hold.

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::testkit::{Cases, check};

use crate::server::{parameters, secrets};

/// The most columns that a SELECT may have.
const COLUMNS_MAX: usize = 1_664;

#[tokio::test]
async fn the_driver_holds_the_contract() {
    let server = Postgres::start();
    let columns: Vec<_> = (1..=COLUMNS_MAX).map(|number| number.to_string()).collect();
    check(
        || Driver,
        &Cases {
            parameters: parameters(&server),
            secrets: secrets(),
            one_row: "select 1",
            syntax_error: "selekt 1",
            empty_result: "select 1 where false",
            zero_columns: Some("select"),
            duplicate_names: "select 1 as a, 2 as a",
            wide_row: (format!("select {}", columns.join(", ")), COLUMNS_MAX),
            huge_cell: ("select repeat('x', 40000000)", 40_000_000),
            noted_cell: Some("select 'infinity'::timestamp"),
            endless: "select i, md5(i::text) from (select generate_series(1, 1000000000) i) s",
        },
    )
    .await;
}
