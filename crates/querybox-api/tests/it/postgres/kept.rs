//! Kept results of PostgreSQL: what is told of their columns, and the order of what comes as text.

use std::time::{Duration, Instant};

use querybox_contracts::core::v1::{self as pb, run_request::Target, view_kind::Kind};

use super::site::{PG, Site, password};
use crate::{
    house::{House, named, session_id, without_end},
    lease::Lease,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again until it is so.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < end, "it is not so");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn run(house: &House, target: Target, sql: &str, column_facts: bool) -> String {
    let request = pb::RunRequest {
        result_id: session_id(),
        credential: matches!(target, Target::Connection(_)).then(password).flatten(),
        target: Some(target),
        sql: sql.to_owned(),
        options: Some(pb::ExecuteOptions { column_facts, ..without_end() }),
        ..pb::RunRequest::default()
    };
    house.results().run(request).await.unwrap().into_inner().result.unwrap().result_id
}

async fn stands(house: &House, id: &str) -> pb::Result {
    let request = pb::AttachResultRequest { result_id: id.to_owned(), ..pb::AttachResultRequest::default() };
    house.results().attach_result(request).await.unwrap().into_inner().result.unwrap()
}

async fn ended(house: &House, id: &str) -> pb::Result {
    until(async || Some(stands(house, id).await).filter(|result| result.state() != pb::ResultState::Running))
        .await
}

fn on_pg() -> Target {
    Target::Connection(named(PG).unwrap())
}

/// Column, origin, and whether it is a key and may be NULL.
fn facts(result: &pb::Result) -> Vec<(u32, String, bool, Option<bool>)> {
    let statement = result.statements.last().unwrap();
    let fact = |fact: &querybox_contracts::plugin::v1::ColumnFact| {
        let origin = format!("{}.{}.{}", fact.origin_schema, fact.origin_table, fact.origin_column);
        (fact.column, origin, fact.primary_key, fact.nullable)
    };
    statement.column_facts.iter().map(fact).collect()
}

#[tokio::test]
async fn facts_of_columns_are_there_while_the_statement_still_runs() {
    let site = Site::start().await;
    site.server.psql("create table item (id int primary key, name text); insert into item values (1, 'a')");
    let expected = || {
        vec![
            (0, "public.item.id".to_owned(), true, Some(false)),
            (2, "public.item.name".to_owned(), false, Some(true)),
        ]
    };
    // The server sends what it has once that fills its buffer of 8 KiB.
    let endless = "select id, 1 as one, name, pg_sleep(case i when 9000 then 600 else 0 end) \
         from item, generate_series(1, 9000) i";
    let id = run(&site.house, on_pg(), endless, true).await;
    let result = until(async || {
        let result = stands(&site.house, &id).await;
        assert_eq!(result.state(), pb::ResultState::Running, "{result:?}");
        result.statements.first().is_some_and(|first| !first.column_facts.is_empty()).then_some(result)
    })
    .await;
    assert_eq!(facts(&result), expected());
    site.house.results().drop_result(pb::DropResultRequest { result_id: id }).await.unwrap();

    let id = run(&site.house, on_pg(), "select id, 1 as one, name from item", false).await;
    assert_eq!(facts(&ended(&site.house, &id).await), []);

    // Inside of a leased session's transaction, which stays open. In front of its BEGIN the driver learns whether the
    // server takes savepoints, where facts are wanted.
    let lease: Lease<'_> = site.lease().await;
    let in_lease = || Target::SessionId(lease.id.clone());
    let id = run(&site.house, in_lease(), "begin; insert into item values (2, 'b')", true).await;
    ended(&site.house, &id).await;
    let id = run(&site.house, in_lease(), "select id, 1, name from item", true).await;
    let result = ended(&site.house, &id).await;
    assert_eq!((facts(&result), result.statements[0].row_count), (expected(), 2));
    lease.execute("commit").await;
    assert_eq!(site.server.psql("select count(*) from item"), b"2\n");
}

#[tokio::test]
async fn intervals_zoned_times_and_money_are_in_the_order_that_postgres_has() {
    let site = Site::start().await;
    for (type_name, values) in [
        (
            "interval",
            "select make_interval(years => (i * 7) % 5 - 2, months => (i * 13) % 25 - 12, days => (i * 31) % 67 - 33, \
                secs => ((i * 7919) % 400000 - 200000) / 1.7) from generate_series(1, 700) i \
             union all select unnest(array['1 mon', '30 days', '720:00:00', '1 year', '360 days', '0', \
                '178000000 years', '-178000000 years', '2147483647 days', '2562047788:00:54.775807']::interval[])",
        ),
        (
            "timetz",
            "select (lpad((i * 7 % 24)::text, 2, '0') || ':' || lpad((i * 13 % 60)::text, 2, '0') || ':07.25' \
                || case i % 2 when 0 then '+' else '-' end || lpad((i * 5 % 15)::text, 2, '0') || ':' \
                || lpad((i % 4 * 15)::text, 2, '0'))::timetz from generate_series(1, 500) i \
             union all select unnest(array['00:00+15:59', '24:00-12:30', '12:00+02', '11:00+01', '10:00+00', \
                '05:00-05', '15:30+05:30', '10:00:00.000001+00']::timetz[])",
        ),
        (
            "money",
            "select ((i * 7919) % 4001 - 2000)::numeric::money / 7 from generate_series(1, 500) i \
             union all select unnest(array['-92233720368547758.08', '92233720368547758.07', '0', '9.99', '10', '-0.01']::money[])",
        ),
    ] {
        let sql = format!(
            "select v, dense_rank() over (order by v) from ({values}) as t (v) order by md5(v::text)"
        );
        let id = run(&site.house, on_pg(), &sql, false).await;
        let result = ended(&site.house, &id).await;
        assert_eq!(result.state(), pb::ResultState::Done, "{type_name}: {result:?}");
        for descending in [false, true] {
            let sort =
                pb::Sort { columns: vec![pb::SortColumn { column: 0, descending, ..Default::default() }] };
            let request = pb::MakeViewRequest {
                result_id: id.clone(),
                kind: Some(pb::ViewKind { kind: Some(Kind::Sort(sort)) }),
                ..pb::MakeViewRequest::default()
            };
            let view = site.house.results().make_view(request).await.unwrap().into_inner().view.unwrap().view;
            let rows = until(async || {
                let request = pb::ReadRowsRequest {
                    result_id: id.clone(),
                    view,
                    row_count: 1_000,
                    ..pb::ReadRowsRequest::default()
                };
                site.house.results().read_rows(request).await.ok()?.into_inner().rows
            })
            .await;
            let ranks: Vec<(u32, &str)> =
                rows.texts.chunks(2).map(|row| (row[1].parse().unwrap(), row[0].as_str())).collect();
            assert!(ranks.len() > 100, "{type_name}");
            for pair in ranks.windows(2) {
                let is_in_order = if descending { pair[0].0 >= pair[1].0 } else { pair[0].0 <= pair[1].0 };
                assert!(is_in_order, "{type_name}: {pair:?}");
            }
        }
    }
}
