//! The PostgreSQL driver, without gRPC and without its process, on a real server.

use std::ops::ControlFlow;

use anyhow::{Context as _, ensure};
use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, execute_response::Part},
    testkit::{execute_directly, open_directly},
};
use tokio::runtime::Runtime;

use super::{
    ROWS, counted_by_callgrind,
    fixed::{CELL_BYTES_MAX, query},
};

/// The benches' table `mixed`, but for values that take time to make.
pub(super) fn make_table(server: &Postgres) {
    let null = |remainder: u32, value: &str| format!("case when i % 20 <> {remainder} then {value} end");
    let columns = [
        "i".to_owned(),
        null(1, "(i * 7919 % 1000003)::int"),
        null(2, "i * 1.618033988749::float8"),
        null(3, "(i * 104729 / 10000.0)::numeric(18,4)"),
        null(4, "i % 3 = 0"),
        null(5, "'label ' || i % 1000"),
        null(6, "rpad(md5(i::text), 80, md5((i + 1)::text))"),
        null(7, "md5(i::text)::uuid"),
        null(8, "timestamptz '2020-01-01 00:00+00' + i * interval '37 s 1 us'"),
        null(9, "date '2000-01-01' + (i % 20000)::int"),
        null(10, "jsonb_build_object('number', i, 'tags', array['one', 'two'], 'name', md5(i::text))"),
        null(11, "array[i % 100, i % 7, null, i]::int[]"),
    ];
    let columns: Vec<String> =
        columns.iter().enumerate().map(|(at, value)| format!("{value} as c{at}")).collect();
    server.psql(&format!(
        "create table mixed as select {} from generate_series(1::bigint, {ROWS}) i",
        columns.join(", ")
    ));
    server.psql("vacuum (analyze, freeze) mixed");
}

/// Counts the driver while it reads the table.
pub(super) fn driver(runtime: &Runtime, port: u16) -> anyhow::Result<u64> {
    let text = |name: &str, text: &str| pb::Parameter {
        name: name.into(),
        value: Some(pb::parameter::Value::Text(text.into())),
    };
    let password = pb::SecretField { name: "password".into(), value: Postgres::PASSWORD.into() };
    let request = pb::OpenRequest {
        session_id: "00000000-0000-0000-0000-000000000000".to_owned(),
        parameters: vec![
            text("host", Postgres::HOST),
            text("port", &port.to_string()),
            text("user", Postgres::USER),
            text("database", Postgres::DATABASE),
        ],
        credential: Some(pb::Credential { fields: vec![password] }),
        options: None,
        limits: None,
    };
    let session = runtime.block_on(open_directly(&Driver, request)).context("no session")?;
    let mut batches = 0;
    let heard = counted_by_callgrind(|| {
        let sql = query("select * from mixed");
        runtime.block_on(execute_directly(&session, sql, CELL_BYTES_MAX, None, |part| {
            batches += u64::from(matches!(part, Part::Batch(_)));
            ControlFlow::Continue(())
        }))
    });
    heard.ended.context("the driver failed")?;
    let rows: u64 = heard.answer.statements.iter().map(|statement| statement.rows()).sum();
    ensure!(rows == ROWS, "{rows} rows came");
    Ok(batches)
}
