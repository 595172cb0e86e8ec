//! Exports of what still runs, for readers of all kinds, and tickets for them.

use std::time::Duration;

use futures::StreamExt as _;
use querybox_contracts::core::v1::{self as pb, export_order::Format, export_response::Part};
use querybox_core::{ExportPart, Limits};
use tonic::{Code, Status, Streaming};

use super::{ENDLESS, ended, forget, nothing_is_held, numbers, ran, request, run, until};
use crate::house::{House, SHOP, check, limits};

fn order(id: &str, format: Format) -> pb::ExportOrder {
    pb::ExportOrder { result_id: id.to_owned(), statement: 0, view: 0, format: Some(format) }
}

fn csv() -> Format {
    Format::Csv(pb::CsvFormat::default())
}

async fn begin(house: &House, id: &str, format: Format) -> Streaming<pb::ExportResponse> {
    let request = pb::ExportRequest { order: Some(order(id, format)) };
    house.results().export(request).await.unwrap().into_inner()
}

/// The whole document, and what was said of it.
async fn finish(mut parts: Streaming<pb::ExportResponse>) -> Result<(Vec<u8>, pb::ExportDone), Status> {
    let mut document = Vec::new();
    while let Some(part) = parts.message().await? {
        match part.part.unwrap() {
            Part::Data(data) => document.extend(data),
            Part::Progress(_) => {}
            Part::Done(done) => return Ok((document, done)),
        }
    }
    panic!("an export says that it is whole");
}

/// A result that has rows and goes on.
async fn endless(house: &House) -> String {
    let id = run(house, ENDLESS).await.result.unwrap().result_id;
    until(house, &id, |result| result.statements.first().is_some_and(|statement| statement.row_count > 0))
        .await;
    id
}

async fn cancel(house: &House, id: &str) {
    let request = pb::CancelSessionRequest { session_id: id.to_owned() };
    house.sessions().cancel_session(request).await.unwrap();
}

#[tokio::test]
async fn an_export_goes_on_with_a_statement_that_runs() {
    let house = House::with_shop().await;
    let rows = 100_000;
    for format in [csv(), Format::Ndjson(pb::NdjsonFormat {}), Format::Parquet(pb::ParquetFormat {})] {
        let run = request(&numbers(rows));
        let id = run.result_id.clone();
        house.results().run(run).await.unwrap();
        until(&house, &id, |result| !result.statements.is_empty()).await;
        let (document, done) = finish(begin(&house, &id, format.clone()).await).await.unwrap();
        assert_eq!((done.rows, done.bytes), (u64::from(rows), document.len() as u64), "{format:?}");
        assert!(!done.incomplete);
        if format == csv() {
            let mut lines = document.split(|byte| *byte == b'\n').skip(1);
            for row in 1..=rows {
                assert_eq!(lines.next(), Some(format!("{row},row {row}").as_bytes()));
            }
        }
        forget(&house, &id).await.unwrap();
    }
}

#[tokio::test]
async fn an_export_of_what_breaks_off_is_told_so_and_what_came_can_be_had_after_it() {
    let house = House::with_shop().await;
    for format in [csv(), Format::Arrow(pb::ArrowFormat {})] {
        let id = endless(&house).await;
        let parts = begin(&house, &id, format.clone()).await;
        let (finished, ()) = tokio::join!(finish(parts), cancel(&house, &id));
        let status = finished.unwrap_err();
        let message = "the statement did not come to its end, and so did not the export";
        check(&status, Code::FailedPrecondition, "EXPORT_BROKEN_OFF", message);
        let result = ended(&house, &id).await;
        let (_, done) = finish(begin(&house, &id, format).await).await.unwrap();
        assert_eq!(done.rows, result.statements[0].row_count);
        assert!(done.incomplete, "a part is not told as all");
        forget(&house, &id).await.unwrap();
    }
}

#[tokio::test]
async fn an_export_ends_with_its_result_and_with_its_reader() {
    let house = House::with_shop().await;
    let id = endless(&house).await;
    let parts = begin(&house, &id, Format::Parquet(pb::ParquetFormat {})).await;
    let (finished, forgotten) = tokio::join!(finish(parts), forget(&house, &id));
    forgotten.unwrap();
    assert_eq!(finished.unwrap_err().code(), Code::FailedPrecondition);
    let id = endless(&house).await;
    drop(begin(&house, &id, csv()).await);
    drop(begin(&house, &id, Format::Parquet(pb::ParquetFormat {})).await);
    forget(&house, &id).await.unwrap();
    nothing_is_held(&house).await;
}

#[tokio::test]
async fn an_export_whose_reader_takes_nothing_ends() {
    // So long that nothing else in here is ever so slow.
    let idle = Some(Duration::from_secs(5));
    let house = House::with_limits(Limits { stream_idle: idle, ..limits() }).await;
    house.create(house.spec(SHOP)).await.unwrap();
    // More than what lies between the two ends.
    let id = ran(&house, "select hex(zeroblob(1500000)) as t").await.result_id;
    let parts = begin(&house, &id, csv()).await;
    forget(&house, &id).await.unwrap();
    // Nobody reads, and nothing is held for him.
    nothing_is_held(&house).await;
    let status = finish(parts).await.unwrap_err();
    check(&status, Code::ResourceExhausted, "STREAM_IDLE", "the reader took nothing for 5s");
}

#[tokio::test]
async fn a_ticket_is_traded_for_its_export_once() {
    let house = House::with_shop().await;
    let id = ran(&house, "select 1 as a").await.result_id;
    let make = async |file_name: &str| {
        let request =
            pb::MakeDownloadRequest { order: Some(order(&id, csv())), file_name: file_name.to_owned() };
        house.results().make_download(request).await.map(tonic::Response::into_inner)
    };
    let made = make("").await.unwrap();
    assert_eq!(made.file_name, "result.csv");
    assert!(!format!("{made:?}").contains(&made.ticket));
    let other = make("x.csv").await.unwrap();
    let traded = house.core.download(&made.ticket).unwrap().unwrap();
    assert_eq!((traded.file_name.as_str(), traded.media_type), ("result.csv", "text/csv; charset=utf-8"));
    let parts: Vec<_> = traded.parts.map(|part| part.unwrap()).collect().await;
    let data = parts.iter().filter_map(|part| match part {
        ExportPart::Data(data) => Some(data.as_ref()),
        ExportPart::Progress(_) | ExportPart::Done { .. } => None,
    });
    assert_eq!(data.collect::<Vec<_>>().concat(), b"a\n1\n");
    assert!(
        matches!(parts.last(), Some(ExportPart::Done { exported, is_whole: true }) if exported.rows == 1)
    );
    assert!(house.core.download(&made.ticket).unwrap().is_none());
    assert!(house.core.download(&other.ticket).unwrap().is_some());
    assert_eq!(make("a/b").await.unwrap_err().code(), Code::InvalidArgument);
    forget(&house, &id).await.unwrap();
    let status = make("").await.unwrap_err();
    check(&status, Code::NotFound, "RESULT_DROPPED", "the result is gone: it was dropped");
}
