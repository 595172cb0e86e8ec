//! Reading kept results.

use querybox_contracts::core::v1 as pb;
use tonic::{Code, Status};

use super::{ENDLESS, PATIENCE, attach, ended, forget, numbers, ran, read, run, until, window};
use crate::house::{House, check, metadata, session_id};

/// The whole cell, from its pieces, and the size and state that each tells.
async fn cell(house: &House, request: pb::ReadCellRequest) -> Result<(String, pb::ReadCellResponse), Status> {
    let mut pieces = house.results().read_cell(request).await?.into_inner();
    let (mut text, mut last, mut start) = (String::new(), None, None);
    while let Some(piece) = pieces.message().await? {
        assert_eq!(piece.start_byte, *start.get_or_insert(piece.start_byte) + text.len() as u64);
        assert!(piece.text.len() <= 256 << 10, "a piece of {} bytes", piece.text.len());
        text.push_str(&piece.text);
        last = Some(piece);
    }
    Ok((text, last.expect("a cell has a piece")))
}

#[tokio::test]
async fn two_readers_read_anywhere_while_rows_arrive() {
    const ROWS: u32 = 150_000;
    let house = House::with_shop().await;
    let id = run(&house, &numbers(ROWS)).await.result.unwrap().result_id;
    let reader = async |step: u64| {
        let end = tokio::time::Instant::now() + PATIENCE;
        let (mut first, mut windows) = (0, 0);
        loop {
            assert!(tokio::time::Instant::now() < end, "{windows} windows");
            let rows = match read(&house, window(&id, first, 50)).await {
                Ok(rows) => rows,
                // The statement has not begun.
                Err(status) if status.code() == Code::NotFound && windows == 0 => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Err(status) => panic!("{status}"),
            };
            windows += 1;
            for row in 0..u64::from(rows.row_count) {
                let number = first + row + 1;
                let at = row as usize * 2;
                assert_eq!(rows.texts[at..at + 2], [number.to_string(), format!("row {number}")]);
            }
            if !rows.growing && rows.rows_so_far == u64::from(ROWS) {
                return;
            }
            first = (first + step) % rows.rows_so_far.max(1);
        }
    };
    tokio::join!(reader(7_919), reader(31));
    let last = read(&house, window(&id, u64::from(ROWS) - 1, 100)).await.unwrap();
    assert_eq!((last.row_count, &last.texts[..]), (1, &[ROWS.to_string(), format!("row {ROWS}")][..]));
}

#[tokio::test]
async fn a_window_has_the_columns_that_are_wanted() {
    let house = House::with_shop().await;
    let id = ran(&house, "select 1 as a, 'b' as b, null as c").await.result_id;
    let ask = pb::ReadRowsRequest { columns: vec![2, 1, 1], ..window(&id, 0, 1) };
    let rows = read(&house, ask).await.unwrap();
    assert_eq!((rows.column_count, &rows.texts[..]), (3, &["", "b", "b"].map(str::to_owned)[..]));
    assert_eq!(
        rows.marks.iter().map(|mark| (mark.index, mark.state())).collect::<Vec<_>>(),
        [(0, pb::CellState::Null)]
    );
}

#[tokio::test]
async fn a_long_cell_is_cut_in_a_window_and_read_in_pieces() {
    let house = House::with_shop().await;
    let id = ran(&house, "select replace(hex(zeroblob(300000)), '00', 'ä') as t, '' as e, null as n")
        .await
        .result_id;
    let ask = pb::ReadRowsRequest { cell_bytes_max: 5, ..window(&id, 0, 1) };
    let rows = read(&house, ask).await.unwrap();
    assert_eq!(rows.texts, ["ää", "", ""]);
    let mark = &rows.marks[0];
    assert_eq!((mark.index, mark.state(), mark.text_bytes), (0, pb::CellState::Cut, 600_000));
    let request = pb::ReadCellRequest { result_id: id.clone(), ..pb::ReadCellRequest::default() };
    let (text, last) = cell(&house, request.clone()).await.unwrap();
    assert!(text == "ä".repeat(300_000), "{} bytes", text.len());
    assert_eq!((last.text_bytes, last.state()), (600_000, pb::CellState::Value));
    // A range begins where a character does.
    let range = pb::ReadCellRequest { start_byte: 599_997, bytes_max: 3, ..request.clone() };
    let (text, last) = cell(&house, range).await.unwrap();
    assert_eq!((text.as_str(), last.start_byte), ("ää", 599_996));
    for (column, state) in [(1, pb::CellState::Value), (2, pb::CellState::Null)] {
        let (text, last) = cell(&house, pb::ReadCellRequest { column, ..request.clone() }).await.unwrap();
        assert_eq!((text.as_str(), last.state(), last.text_bytes), ("", state, 0));
    }
}

#[tokio::test]
async fn what_is_not_there_has_a_name() {
    let house = House::with_shop().await;
    let id = ran(&house, "select 1 as a union all select 2; create table t (a)").await.result_id;
    let refused = async |request: pb::ReadRowsRequest| read(&house, request).await.unwrap_err();

    let status = refused(window("x", 0, 1)).await;
    let malformed = "the session id is not a UUIDv7 in canonical text form";
    check(&status, Code::InvalidArgument, "RESULT_ID_INVALID", malformed);
    let status = refused(window(&session_id(), 0, 1)).await;
    check(&status, Code::NotFound, "RESULT_NOT_FOUND", "there is no such result");
    let status = refused(pb::ReadRowsRequest { statement: 2, ..window(&id, 0, 1) }).await;
    check(&status, Code::NotFound, "STATEMENT_NOT_FOUND", "the result has no statement 2");
    let status = refused(pb::ReadRowsRequest { statement: 1, ..window(&id, 0, 1) }).await;
    check(&status, Code::FailedPrecondition, "STATEMENT_WITHOUT_ROWS", "the statement returns no rows");
    let status = refused(pb::ReadRowsRequest { columns: vec![0, 1], ..window(&id, 0, 1) }).await;
    check(&status, Code::OutOfRange, "COLUMN_NOT_FOUND", "there is no column 1; there are 1");
    assert_eq!(metadata(&status, "columns"), "1");
    let status = refused(window(&id, 3, 1)).await;
    check(&status, Code::OutOfRange, "ROW_OUT_OF_RANGE", "there is no row 3; there are 2");
    assert_eq!(metadata(&status, "rows"), "2");
    let status = refused(window(&id, 0, 10_001)).await;
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", "row_count is more than 10000");
    // Behind the last row there is nothing, which is no mistake.
    assert_eq!(read(&house, window(&id, 2, 5)).await.unwrap().row_count, 0);
    assert_eq!(read(&house, window(&id, 0, 0)).await.unwrap().row_count, 0);

    let of_cell = |row, column| pb::ReadCellRequest {
        result_id: id.clone(),
        row,
        column,
        ..pb::ReadCellRequest::default()
    };
    let status = cell(&house, of_cell(2, 0)).await.unwrap_err();
    check(&status, Code::OutOfRange, "ROW_OUT_OF_RANGE", "there is no row 2; there are 2");
    let status = cell(&house, of_cell(0, 7)).await.unwrap_err();
    check(&status, Code::OutOfRange, "COLUMN_NOT_FOUND", "there is no column 7; there are 1");

    forget(&house, &id).await.unwrap();
    let status = refused(window(&id, 0, 1)).await;
    check(&status, Code::NotFound, "RESULT_DROPPED", "the result is gone: it was dropped");
    assert_eq!(metadata(&status, "cause"), "DROPPED");
    assert_eq!(attach(&house, &id).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(forget(&house, &id).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_row_that_is_still_to_come_is_not_there() {
    let house = House::with_shop().await;
    let id = run(&house, ENDLESS).await.result.unwrap().result_id;
    until(&house, &id, |result| result.statements.first().is_some_and(|statement| statement.row_count > 0))
        .await;
    let status = read(&house, window(&id, 1 << 40, 1)).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    let rows = read(&house, window(&id, 0, 1)).await.unwrap();
    assert!(rows.growing);
    forget(&house, &id).await.unwrap();
    assert_eq!(ended(&house, &ran(&house, "select 1").await.result_id).await.state(), pb::ResultState::Done);
}

#[tokio::test]
async fn a_cell_of_any_length_comes_whole_in_pieces() {
    let house = House::with_shop().await;
    // Two bytes a letter, and more than what is read at once.
    let sql = "select replace(hex(zeroblob(2500000)), '0', 'ä') as t, '' as empty";
    let id = ran(&house, sql).await.result_id;
    let ask =
        |column: u32| pb::ReadCellRequest { result_id: id.clone(), column, ..pb::ReadCellRequest::default() };
    let (text, last) = cell(&house, ask(0)).await.unwrap();
    assert_eq!((text.len(), last.text_bytes), (10_000_000, 10_000_000));
    assert!(text.chars().all(|letter| letter == 'ä'));
    assert_eq!(cell(&house, ask(1)).await.unwrap().0, "");
    let part = pb::ReadCellRequest { start_byte: 8_388_606, bytes_max: 600_000, ..ask(0) };
    assert_eq!(cell(&house, part).await.unwrap().0.len(), 600_000);
}
