//! What nobody may fill Core with, and what is told of parts that are not all.

use futures::{StreamExt as _, future::join_all};
use querybox_contracts::core::v1::{
    self as pb, cell_test::Test, condition::Condition as Which, export_order::Format, view_kind::Kind,
    watch_events_response::Event,
};
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

use super::{
    ENDLESS, PATIENCE, ended, forget, nothing_is_held, nothing_runs, numbers, ran, read, run, until, window,
};
use crate::house::{House, check};

fn parquet() -> Format {
    Format::Parquet(pb::ParquetFormat {})
}

fn order(id: &str, view: u32, format: Format) -> Option<pb::ExportOrder> {
    Some(pb::ExportOrder { result_id: id.to_owned(), statement: 0, view, format: Some(format) })
}

async fn export(house: &House, id: &str, format: Format) -> Result<Streaming<pb::ExportResponse>, Status> {
    let request = pb::ExportRequest { order: order(id, 0, format) };
    Ok(house.results().export(request).await?.into_inner())
}

async fn make_view(house: &House, id: &str, kind: Kind) -> Result<pb::View, Status> {
    let kind = Some(pb::ViewKind { kind: Some(kind) });
    let request = pb::MakeViewRequest { result_id: id.to_owned(), kind, ..pb::MakeViewRequest::default() };
    Ok(house.results().make_view(request).await?.into_inner().view.unwrap())
}

fn contains(text: &str) -> Kind {
    let test = Some(Test::Contains(text.to_owned()));
    let cell = pb::CellTest { column: 0, test, ignore_case: false };
    Kind::Filter(pb::Condition { condition: Some(Which::Cell(cell)) })
}

/// In the order of the second column.
fn sorted_by_text() -> Kind {
    let columns = vec![pb::SortColumn { column: 1, ..pb::SortColumn::default() }];
    Kind::Sort(pb::Sort { columns })
}

/// A result that has rows and goes on.
async fn endless(house: &House) -> String {
    let id = run(house, ENDLESS).await.result.unwrap().result_id;
    until(house, &id, |result| result.statements.first().is_some_and(|statement| statement.row_count > 0))
        .await;
    id
}

#[tokio::test]
async fn so_many_exports_run_and_no_more() {
    let house = House::with_shop().await;
    let id = endless(&house).await;
    let mut running = Vec::new();
    let full = loop {
        match export(&house, &id, parquet()).await {
            Ok(parts) => running.push(parts),
            Err(status) => break status,
        }
        assert!(running.len() < 100, "there is a bound");
    };
    check(&full, Code::ResourceExhausted, "EXPORTS_FULL", "32 exports run, and no more may; try again");
    assert_eq!(running.len(), 32);
    // They wait on threads, of which enough are left for all else: rows are kept, read and viewed.
    let other = ran(&house, &numbers(30_000)).await;
    assert_eq!(other.state(), pb::ResultState::Done);
    assert_eq!(read(&house, window(&other.result_id, 29_999, 1)).await.unwrap().texts[0], "30000");
    // A ticket is not used up when there is no room.
    let request =
        pb::MakeDownloadRequest { order: order(&other.result_id, 0, parquet()), file_name: String::new() };
    let ticket = house.results().make_download(request).await.unwrap().into_inner().ticket;
    assert!(house.core.download(&ticket).is_err());
    drop(running);
    let end = tokio::time::Instant::now() + PATIENCE;
    while house.core.download(&ticket).is_err() {
        assert!(tokio::time::Instant::now() < end, "who goes makes room");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    forget(&house, &id).await.unwrap();
    forget(&house, &other.result_id).await.unwrap();
    nothing_is_held(&house).await;
}

#[tokio::test]
async fn what_would_fill_memory_is_refused() {
    let house = House::with_shop().await;
    let id = ran(&house, &numbers(10)).await.result_id;
    let wide = pb::ReadRowsRequest { columns: vec![0; 70_000], ..window(&id, 0, 1) };
    let status = read(&house, wide).await.unwrap_err();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", "columns has more than 65536");
    let status = make_view(&house, &id, contains(&"x".repeat(70_000))).await.unwrap_err();
    check(
        &status,
        Code::InvalidArgument,
        "PARAMETER_INVALID",
        "the view is too long: its values, texts and patterns have 64 KiB at most together",
    );
    let search = pb::Search { text: "x".to_owned(), columns: vec![0; 70_000], match_case: true };
    assert_eq!(make_view(&house, &id, Kind::Search(search)).await.unwrap_err().code(), Code::InvalidArgument);
    // What is refused leaves nothing.
    assert!(ended(&house, &id).await.statements[0].views.is_empty());
}

#[tokio::test]
async fn a_part_is_not_told_as_all() {
    let house = House::with_shop().await;
    let id = endless(&house).await;
    // More were to come when it was made.
    let view = make_view(&house, &id, contains("1")).await.unwrap();
    assert!(view.incomplete);
    let cancel = pb::CancelSessionRequest { session_id: id.clone() };
    house.sessions().cancel_session(cancel).await.unwrap();
    ended(&house, &id).await;
    nothing_runs(&house).await;
    let make = async |id: &str| {
        let request = pb::MakeDownloadRequest { order: order(id, 0, parquet()), file_name: String::new() };
        house.results().make_download(request).await.unwrap().into_inner().incomplete
    };
    assert!(make(&id).await);
    // A limit of the request is one, too.
    let options = pb::ExecuteOptions { rows_max: Some(5), ..crate::house::without_end() };
    let run = pb::RunRequest { options: Some(options), ..super::request(&numbers(10)) };
    let cut = run.result_id.clone();
    house.results().run(run).await.unwrap();
    assert_eq!(ended(&house, &cut).await.statements[0].row_count, 5);
    assert!(make(&cut).await);
    nothing_runs(&house).await;
    let whole = ran(&house, &numbers(10)).await.result_id;
    assert!(!make(&whole).await);
    assert!(!make_view(&house, &whole, contains("1")).await.unwrap().incomplete);
}

#[tokio::test]
async fn whoever_holds_a_result_is_told_how_a_download_of_it_ended() {
    const FRONT_END: &str = "5b3e1d0a-7c00-4abc-8def-0123456789ab";
    let house = House::with_shop().await;
    let watch = pb::WatchEventsRequest { front_end_id: FRONT_END.to_owned() };
    let mut events = house.events().watch_events(watch).await.unwrap().into_inner();
    let sql = "select 1 as a union all select 'text'";
    let run = pb::RunRequest { front_end_id: FRONT_END.to_owned(), ..super::request(sql) };
    let id = run.result_id.clone();
    house.results().run(run).await.unwrap();
    ended(&house, &id).await;
    let mut told = async || loop {
        let event = timeout(PATIENCE, events.message()).await.unwrap().unwrap().unwrap();
        if let Some(Event::DownloadEnded(download)) = event.event {
            return download;
        }
    };
    let ticket = async || {
        let request =
            pb::MakeDownloadRequest { order: order(&id, 0, parquet()), file_name: "x.parquet".to_owned() };
        house.results().make_download(request).await.unwrap().into_inner().ticket
    };
    let download = house.core.download(&ticket().await).unwrap().unwrap();
    let parts: Vec<_> = download.parts.collect().await;
    assert!(parts.iter().all(Result::is_ok));
    let download = told().await;
    assert_eq!((download.result_id.as_str(), download.file_name.as_str()), (&*id, "x.parquet"));
    let done = download.done.unwrap();
    assert_eq!((done.rows, done.incomplete), (2, false));
    // One that nobody takes to its end is none.
    drop(house.core.download(&ticket().await).unwrap().unwrap());
    assert_eq!(told().await.done, None);
}

#[tokio::test]
async fn statistics_end_with_their_result() {
    let house = House::with_shop().await;
    let id = ran(&house, &numbers(200_000)).await.result_id;
    let mut asked = Vec::new();
    for number in 0..6 {
        // The first two work, the others wait for their turn behind all of these: not all can be through before the result goes.
        if number == 2 {
            join_all((0..30).map(|_| make_view(&house, &id, sorted_by_text()))).await;
        }
        let request =
            pb::GetStatisticsRequest { result_id: id.clone(), ..pb::GetStatisticsRequest::default() };
        asked.push(house.results().get_statistics(request).await.unwrap().into_inner());
    }
    forget(&house, &id).await.unwrap();
    // Nobody reads them, and nothing is held for them.
    nothing_is_held(&house).await;
    let mut stopped = 0;
    for mut parts in asked {
        // Some may have come to their end before.
        let end = loop {
            match parts.message().await {
                Ok(Some(part))
                    if matches!(part.part, Some(pb::get_statistics_response::Part::Progress(_))) => {}
                other => break other,
            }
        };
        match end {
            Ok(Some(_)) => {}
            Ok(None) => panic!("there is a last word"),
            Err(status) => {
                check(&status, Code::NotFound, "RESULT_DROPPED", "the result is gone: it was dropped");
                stopped += 1;
            }
        }
    }
    assert!(stopped > 0, "all had come to their end");
}

#[tokio::test]
async fn views_that_wait_for_their_turn_go_with_their_result() {
    let house = House::with_shop().await;
    let id = ran(&house, &numbers(100_000)).await.result_id;
    // Two are made at once, so that most are not made when it is answered that they will be.
    let asked = (0..40).map(|_| make_view(&house, &id, sorted_by_text()));
    let views: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert!(views.iter().all(|view| view.failure.is_none()));
    assert!(views.iter().any(|view| view.state() == pb::ViewState::Making), "none had to wait");
    forget(&house, &id).await.unwrap();
    assert_eq!(make_view(&house, &id, sorted_by_text()).await.unwrap_err().code(), Code::NotFound);
    nothing_is_held(&house).await;
}

#[tokio::test]
async fn a_view_that_waited_is_told_with_the_rows_of_its_turn() {
    const ROWS: u32 = 300_000;
    let house = House::with_shop().await;
    let long = ran(&house, &numbers(200_000)).await.result_id;
    nothing_runs(&house).await;
    let id = run(&house, &numbers(ROWS)).await.result.unwrap().result_id;
    until(&house, &id, |result| result.statements.first().is_some_and(|statement| statement.row_count > 0))
        .await;
    // It waits behind two sorts while its statement goes on.
    for _ in 0..2 {
        make_view(&house, &long, sorted_by_text()).await.unwrap();
    }
    let is_null = pb::CellTest { column: 0, test: Some(Test::IsNull(pb::IsNull {})), ignore_case: false };
    let is_null = pb::Condition { condition: Some(Which::Cell(is_null)) };
    let all = Kind::Filter(pb::Condition { condition: Some(Which::Not(Box::new(is_null))) });
    let number = make_view(&house, &id, all).await.unwrap().view;
    let is_made = |result: &pb::Result| {
        result.statements[0].views.iter().any(|view| view.state() == pb::ViewState::Ready)
    };
    let view = until(&house, &id, is_made).await.statements[0].views[0].clone();
    assert_eq!((view.view, view.row_count), (number, view.source_row_count));
    assert!(view.incomplete || view.row_count == u64::from(ROWS), "{view:?}");
    ended(&house, &id).await;
}
