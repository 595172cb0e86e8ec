//! Views, statistics and exports of kept results.

use querybox_contracts::core::v1::{
    self as pb, cell_test::Test, condition::Condition as Which, export_order::Format, export_response,
    get_statistics_response::Part, view_kind::Kind, watch_events_response::Event,
};
use tokio::time::timeout;
use tonic::{Code, Status};

use super::{ENDLESS, PATIENCE, ended, forget, nothing_is_held, numbers, ran, read, run, until, window};
use crate::house::House;

const FRONT_END: &str = "5b3e1d0a-7c00-4abc-8def-0123456789ab";

fn sorted(column: u32, descending: bool) -> Kind {
    Kind::Sort(pb::Sort { columns: vec![pb::SortColumn { column, descending, ..pb::SortColumn::default() }] })
}

fn tested(column: u32, test: Test) -> Kind {
    let cell = pb::CellTest { column, test: Some(test), ignore_case: false };
    Kind::Filter(pb::Condition { condition: Some(Which::Cell(cell)) })
}

fn at_least(column: u32, value: &str) -> Kind {
    let comparison = pb::Comparison::GreaterOrEqual.into();
    tested(column, Test::Compare(pb::Compare { comparison, value: value.to_owned() }))
}

/// A view of a view of the first statement; 0: of its own rows.
async fn make(house: &House, id: &str, of_view: u32, kind: Kind) -> Result<pb::View, Status> {
    let request = pb::MakeViewRequest {
        result_id: id.to_owned(),
        statement: 0,
        of_view,
        kind: Some(pb::ViewKind { kind: Some(kind) }),
        page: None,
    };
    let mut view = house.results().make_view(request).await?.into_inner().view.unwrap();
    let end = tokio::time::Instant::now() + PATIENCE;
    while view.state() == pb::ViewState::Making {
        assert!(tokio::time::Instant::now() < end, "{view:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        let request = pb::GetViewRequest { result_id: id.to_owned(), view: view.view };
        view = house.results().get_view(request).await?.into_inner().view.unwrap();
    }
    Ok(view)
}

/// The first column of all rows of a view.
async fn shown(house: &House, id: &str, view: u32) -> Vec<String> {
    let ask = pb::ReadRowsRequest { view, columns: vec![0], ..window(id, 0, 1000) };
    read(house, ask).await.unwrap().texts
}

#[tokio::test]
async fn views_are_made_of_results_and_of_views() {
    let house = House::with_shop().await;
    let id = ran(
        &house,
        "select 3 as a, 'x' as t union all select null, 'y' union all select 10, 'X' union all select 3, 'x'",
    )
    .await
    .result_id;
    let view = make(&house, &id, 0, sorted(0, true)).await.unwrap();
    assert_eq!((view.state(), view.row_count, view.source_row_count), (pb::ViewState::Ready, 4, 4));
    assert_eq!(view.kind, Some(pb::ViewKind { kind: Some(sorted(0, true)) }));
    assert_eq!(shown(&house, &id, view.view).await, ["10", "3", "3", ""]);
    let filtered = make(&house, &id, view.view, at_least(0, "4")).await.unwrap();
    assert_eq!((filtered.of_view, filtered.row_count), (view.view, 1));
    assert_eq!(shown(&house, &id, filtered.view).await, ["10"]);
    let null = make(&house, &id, 0, tested(0, Test::IsNull(pb::IsNull {}))).await.unwrap();
    assert_eq!((null.row_count, shown(&house, &id, null.view).await), (1, vec![String::new()]));
    let search = Kind::Search(pb::Search { text: "x".to_owned(), columns: vec![1], match_case: false });
    assert_eq!(make(&house, &id, 0, search).await.unwrap().row_count, 3);
    let distinct = Kind::Distinct(pb::Distinct { columns: Vec::new(), ignore_case: false });
    assert_eq!(make(&house, &id, 0, distinct).await.unwrap().row_count, 3);
    // They are told with their statement, and one goes without those that were made of it.
    let request = pb::DropViewRequest { result_id: id.clone(), view: view.view };
    house.results().drop_view(request).await.unwrap();
    let views = ended(&house, &id).await.statements[0].views.iter().map(|view| view.view).collect::<Vec<_>>();
    assert_eq!(views, [2, 3, 4, 5]);
    assert_eq!(shown(&house, &id, filtered.view).await, ["10"]);
    // All are gone with the result, once those who made them have let go of it.
    forget(&house, &id).await.unwrap();
    nothing_is_held(&house).await;
}

#[tokio::test]
async fn a_view_that_cannot_be_made_has_a_name() {
    let house = House::with_shop().await;
    let id = ran(&house, "select 1 as a; create table t (a)").await.result_id;
    let refused = async |of_view: u32, kind: Kind| {
        // A machine that is busy may tell it with the view.
        match make(&house, &id, of_view, kind).await {
            Ok(view) => view.failure.unwrap().reason,
            Err(status) => {
                let details = tonic_types::StatusExt::get_details_error_info(&status);
                details.unwrap().reason
            }
        }
    };
    assert_eq!(refused(0, at_least(0, "many")).await, "VIEW_INVALID");
    assert_eq!(refused(0, tested(0, Test::Matches("(".to_owned()))).await, "VIEW_INVALID");
    assert_eq!(refused(0, sorted(1, false)).await, "COLUMN_NOT_FOUND");
    assert_eq!(refused(7, sorted(0, false)).await, "VIEW_NOT_FOUND");
    assert_eq!(refused(0, Kind::Sort(pb::Sort::default())).await, "PARAMETER_INVALID");
    let deep = (0..40)
        .fold(pb::Condition { condition: Some(Which::All(pb::Conditions::default())) }, |inner, _| {
            pb::Condition { condition: Some(Which::Not(Box::new(inner))) }
        });
    assert_eq!(refused(0, Kind::Filter(deep)).await, "PARAMETER_INVALID");
    let unknown = pb::ReadRowsRequest { view: 99, ..window(&id, 0, 1) };
    assert_eq!(read(&house, unknown).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn front_ends_are_told_of_a_view_and_it_can_be_stopped() {
    let house = House::with_shop().await;
    let watch = pb::WatchEventsRequest { front_end_id: FRONT_END.to_owned() };
    let mut events = house.events().watch_events(watch).await.unwrap().into_inner();
    let request = pb::RunRequest { front_end_id: FRONT_END.to_owned(), ..super::request(&numbers(50_000)) };
    let id = request.result_id.clone();
    house.results().run(request).await.unwrap();
    ended(&house, &id).await;
    make(&house, &id, 0, sorted(1, true)).await.unwrap();
    loop {
        let event = timeout(PATIENCE, events.message()).await.unwrap().unwrap().unwrap().event.unwrap();
        match event {
            Event::ViewChanged(changed) => {
                assert_eq!(changed.result_id, id);
                if changed.view.unwrap().state() == pb::ViewState::Ready {
                    break;
                }
            }
            Event::ResultChanged(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // One that is dropped while it is made leaves nothing, and the result can go.
    let request = pb::MakeViewRequest {
        result_id: id.clone(),
        kind: Some(pb::ViewKind { kind: Some(sorted(1, false)) }),
        ..pb::MakeViewRequest::default()
    };
    let view = house.results().make_view(request).await.unwrap().into_inner().view.unwrap().view;
    house.results().drop_view(pb::DropViewRequest { result_id: id.clone(), view }).await.unwrap();
    forget(&house, &id).await.unwrap();
    nothing_is_held(&house).await;
}

#[tokio::test]
async fn a_view_of_a_result_that_still_runs_has_the_rows_that_were_there() {
    let house = House::with_shop().await;
    let id = run(&house, ENDLESS).await.result.unwrap().result_id;
    until(&house, &id, |result| result.statements.first().is_some_and(|statement| statement.row_count > 9))
        .await;
    let view = make(&house, &id, 0, tested(0, Test::Matches("^[0-9]$".to_owned()))).await.unwrap();
    assert_eq!(shown(&house, &id, view.view).await, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    forget(&house, &id).await.unwrap();
}

#[tokio::test]
async fn statistics_tell_of_a_column() {
    let house = House::with_shop().await;
    let id = ran(&house, &format!("{} union all select null, 'row 1'", numbers(1000))).await.result_id;
    let ask = async |column: u32| {
        let request =
            pb::GetStatisticsRequest { result_id: id.clone(), column, ..pb::GetStatisticsRequest::default() };
        let mut parts = house.results().get_statistics(request).await?.into_inner();
        while let Some(part) = parts.message().await? {
            if let Some(Part::Statistics(statistics)) = part.part {
                return Ok(statistics);
            }
        }
        panic!("there is an answer");
    };
    let found: pb::Statistics = ask(0).await.unwrap();
    assert_eq!((found.rows, found.nulls, found.distinct, found.distinct_is_estimate), (1001, 1, 1000, false));
    assert_eq!((found.least.as_deref(), found.greatest.as_deref()), (Some("1"), Some("1000")));
    let sum = found.numbers.unwrap();
    assert_eq!((sum.count, sum.sum.as_str()), (1000, "500500"));
    assert_eq!(found.histogram.iter().map(|bar| bar.count).sum::<u64>(), 1000);
    assert_eq!(ask(1).await.unwrap().distinct, 1000);
    let status: Status = ask(2).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
}

#[tokio::test]
async fn results_and_views_are_exported() {
    let house = House::with_shop().await;
    let id = ran(&house, "select 2 as a, 'x,y' as t union all select 1, null").await.result_id;
    let view = make(&house, &id, 0, sorted(0, false)).await.unwrap().view;
    let export = async |view: u32, format: Format| {
        let order = pb::ExportOrder { result_id: id.clone(), statement: 0, view, format: Some(format) };
        let request = pb::ExportRequest { order: Some(order) };
        let mut parts = house.results().export(request).await?.into_inner();
        let mut document = Vec::new();
        while let Some(part) = parts.message().await? {
            match part.part.unwrap() {
                export_response::Part::Data(data) => document.extend(data),
                export_response::Part::Progress(_) => {}
                export_response::Part::Done(done) => {
                    assert_eq!((done.rows, done.bytes), (2, document.len() as u64));
                    assert!(parts.message().await?.is_none(), "nothing follows the end");
                    return Ok::<_, Status>(document);
                }
            }
        }
        panic!("an export says that it is whole");
    };
    let text =
        async |view: u32, format: Format| String::from_utf8(export(view, format).await.unwrap()).unwrap();
    assert_eq!(text(0, Format::Csv(pb::CsvFormat::default())).await, "a,t\n2,\"x,y\"\n1,\n");
    assert_eq!(text(view, Format::Csv(pb::CsvFormat::default())).await, "a,t\n1,\n2,\"x,y\"\n");
    let dialect =
        pb::CsvFormat { delimiter: ";".into(), no_header: true, crlf: true, ..pb::CsvFormat::default() };
    assert_eq!(text(0, Format::Csv(dialect)).await, "2;x,y\r\n1;\r\n");
    let insert = pb::SqlInsertFormat { table: vec!["t".to_owned()], ..pb::SqlInsertFormat::default() };
    assert!(text(0, Format::SqlInsert(insert)).await.starts_with("INSERT INTO \"t\" (\"a\", \"t\") VALUES"));
    assert_eq!(export(0, Format::Parquet(pb::ParquetFormat {})).await.unwrap()[..4], *b"PAR1");
    assert_eq!(export(0, Format::Xlsx(pb::XlsxFormat::default())).await.unwrap()[..2], *b"PK");
    let status = export(0, Format::SqlInsert(pb::SqlInsertFormat::default())).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}
