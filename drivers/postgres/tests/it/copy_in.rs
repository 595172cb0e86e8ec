//! COPY … FROM STDIN: data that the caller gives, piece by piece.

use std::time::Duration;

use bytes::Bytes;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, CopyDataEnd, CopyDataOutcome, execute_response::Part},
    testkit::Client,
};

use crate::{
    rendering::csv,
    server::{ends, open, rejection},
};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a script with one COPY told.
struct Told {
    copy_in: pb::CopyIn,
    outcomes: Vec<CopyDataOutcome>,
    notices: usize,
    /// The end of the COPY.
    end: Result<pb::Summary, Box<pb::Rejection>>,
}

fn piece(client: &Client, statement: u32, data: &[u8], end: CopyDataEnd) -> pb::SendCopyDataRequest {
    pb::SendCopyDataRequest {
        session_id: client.session_id.clone(),
        statement,
        data: Bytes::copy_from_slice(data),
        end: end.into(),
        failure: if end == CopyDataEnd::Failed { "the file broke".into() } else { String::new() },
    }
}

async fn give(client: &Client, request: pb::SendCopyDataRequest) -> CopyDataOutcome {
    let answer = client.grpc.clone().send_copy_data(request).await.expect("the session is open");
    answer.into_inner().outcome()
}

/// Runs one COPY with these pieces, and then this end.
async fn copy(client: &Client, sql: &str, pieces: Vec<Vec<u8>>, end: CopyDataEnd) -> Told {
    let request = pb::ExecuteRequest { gives_copy_data: true, ..client.execute_request(sql) };
    let mut parts = client.grpc.clone().execute(request).await.unwrap().into_inner();
    let (mut notices, mut summary) = (0, None);
    let copy_in = loop {
        match parts.message().await.unwrap().expect("data is asked for").part.unwrap() {
            Part::CopyIn(copy_in) => break copy_in,
            Part::Notice(_) => notices += 1,
            other => panic!("{other:?}"),
        }
    };
    let read = async {
        let mut rejection = None;
        while let Some(part) = parts.message().await.unwrap() {
            match part.part.unwrap() {
                Part::Summary(done) => summary = Some(done),
                Part::Rejection(refused) => rejection = Some(refused),
                Part::Notice(_) => notices += 1,
                Part::Header(header) => assert!(!header.returns_rows),
                other => panic!("{other:?}"),
            }
        }
        rejection
    };
    let send = async {
        let mut outcomes = Vec::new();
        for data in &pieces {
            outcomes
                .push(give(client, piece(client, copy_in.statement, data, CopyDataEnd::Unspecified)).await);
        }
        outcomes.push(give(client, piece(client, copy_in.statement, b"", end)).await);
        outcomes
    };
    let (rejection, outcomes) = futures::join!(read, send);
    let end = rejection.map_or_else(|| Ok(summary.expect("a COPY ends")), |refused| Err(Box::new(refused)));
    Told { copy_in, outcomes, notices, end }
}

async fn count(client: &mut Client) -> u64 {
    let (csv, _) = csv(client, "select count(*) from t").await;
    String::from_utf8(csv).unwrap().lines().nth(1).unwrap().parse().unwrap()
}

async fn table(server: &Postgres) -> Client {
    let mut client = open(server).await;
    client.execute("create table t (i int primary key, s text)").await.unwrap();
    client
}

#[tokio::test]
async fn data_is_taken_piece_by_piece_wherever_it_is_cut() {
    let server = Postgres::start();
    let mut client = table(&server).await;
    let bytes = "1\tone\n2\tzw\u{f6}lf\n3\t\\N\n".as_bytes();
    let told =
        copy(&client, "copy t from stdin", bytes.iter().map(|byte| vec![*byte]).collect(), CopyDataEnd::Done)
            .await;
    assert_eq!((told.copy_in.format(), told.copy_in.columns), (pb::CopyFormat::Text, 2));
    assert!(told.outcomes.iter().all(|outcome| *outcome == CopyDataOutcome::Taken));
    let done = told.end.unwrap();
    assert_eq!((done.command_tag.as_str(), done.affected_rows), ("COPY 3", Some(3)));

    let csv = copy(
        &client,
        "copy t (i) from stdin (format csv, header)",
        vec![b"i\n4\n5".to_vec()],
        CopyDataEnd::Done,
    );
    assert_eq!(csv.await.end.unwrap().command_tag, "COPY 2");
    let empty = copy(&client, "/* nothing */ copy t from stdin", vec![], CopyDataEnd::Done).await;
    assert_eq!(empty.end.unwrap().command_tag, "COPY 0");
    let out = server.psql("copy (select 7, 'seven') to stdout (format binary)");
    let binary = copy(&client, "copy t from stdin (format binary)", vec![out], CopyDataEnd::Done).await;
    assert_eq!(binary.copy_in.format(), pb::CopyFormat::Binary);
    assert_eq!(binary.end.unwrap().command_tag, "COPY 1");
    assert_eq!(count(&mut client).await, 6);
    // And the session is as it was.
    assert_eq!(rejection(&mut client, "selekt").await.sqlstate, "42601");
}

#[tokio::test]
async fn a_line_that_is_refused_ends_it_there_and_says_where() {
    let server = Postgres::start();
    let mut client = table(&server).await;
    let mut pieces = vec![b"1\ta\n2\tb\nx\tc\n".to_vec()];
    // Much more than fits between the two: the server throws it away.
    pieces.extend((0..64).map(|_| vec![b'\n'; 1024 * 1024]));
    let told = copy(&client, "copy t from stdin", pieces, CopyDataEnd::Done).await;
    let refused = told.end.unwrap_err();
    assert_eq!(refused.sqlstate, "22P02", "{refused:?}");
    assert_eq!(refused.context, "COPY t, line 3, column i: \"x\"");
    assert_eq!(told.outcomes.last(), Some(&CopyDataOutcome::Unwanted));
    assert_eq!(count(&mut client).await, 0);

    let zero = copy(&client, "copy t from stdin", vec![b"1\ta\0b\n".to_vec()], CopyDataEnd::Done).await;
    assert_eq!(zero.end.unwrap_err().sqlstate, "22021");
    let twice = copy(&client, "copy t from stdin", vec![b"1\t\n1\t\n".to_vec()], CopyDataEnd::Done).await;
    let twice = twice.end.unwrap_err();
    assert_eq!((twice.sqlstate.as_str(), twice.context.as_str()), ("23505", "COPY t, line 2"));
    assert_eq!(count(&mut client).await, 0);
}

#[tokio::test]
async fn data_that_is_not_whole_does_not_count() {
    let server = Postgres::start();
    let mut client = table(&server).await;
    let told = copy(&client, "copy t from stdin", vec![b"1\ta\n".to_vec()], CopyDataEnd::Failed).await;
    let refused = told.end.unwrap_err();
    assert_eq!(refused.sqlstate, "57014");
    assert_eq!(refused.message, "COPY from stdin failed: the file broke");
    assert_eq!(count(&mut client).await, 0);
    // In a transaction nothing is left of what was whole, either.
    let answer = client.execute("begin").await.unwrap();
    assert_eq!(ends(&answer), ["BEGIN"]);
    let told = copy(&client, "copy t from stdin", vec![b"1\ta\n".to_vec()], CopyDataEnd::Done).await;
    assert_eq!(told.end.unwrap().transaction_state(), pb::TransactionState::Open);
    assert_eq!(count(&mut client).await, 1);
    client.execute("rollback").await.unwrap();
    assert_eq!(count(&mut client).await, 0);
}

#[tokio::test]
async fn notices_are_told_while_data_is_taken() {
    let server = Postgres::start();
    let mut client = table(&server).await;
    client
        .execute(
            "create function tell() returns trigger language plpgsql as
                 $$ begin raise notice '%', repeat('x', 2000); return new; end $$;
             create trigger t before insert on t for each row execute function tell()",
        )
        .await
        .unwrap();
    // So many that neither side could write on if the other did not read.
    let lines: String = (0..3000).map(|number| format!("{number}\t\n")).collect();
    let work = copy(&client, "copy t from stdin", vec![lines.into_bytes()], CopyDataEnd::Done);
    let told = tokio::time::timeout(PATIENCE, work).await.expect("neither side waits for the other");
    assert_eq!(told.end.unwrap().command_tag, "COPY 3000");
    assert_eq!(told.notices, 3000);
}

#[tokio::test]
async fn a_cancel_in_the_middle_leaves_no_row() {
    let server = Postgres::start();
    let mut client = table(&server).await;
    for is_dropped in [false, true] {
        let request =
            pb::ExecuteRequest { gives_copy_data: true, ..client.execute_request("copy t from stdin") };
        let mut parts = client.grpc.clone().execute(request).await.unwrap().into_inner();
        let Some(Part::CopyIn(copy_in)) = parts.message().await.unwrap().unwrap().part else {
            panic!("data is asked for")
        };
        let data = piece(&client, copy_in.statement, b"1\ta\n", CopyDataEnd::Unspecified);
        let sent = give(&client, data.clone());
        if is_dropped {
            drop(sent);
            drop(parts);
        } else {
            let session_id = client.session_id.clone();
            let cancel = pb::CancelRequest { session_id, ..pb::CancelRequest::default() };
            let mut grpc = client.grpc.clone();
            let (_, cancelled) = futures::join!(sent, grpc.cancel(cancel));
            cancelled.unwrap();
            let refused = loop {
                match tokio::time::timeout(PATIENCE, parts.message()).await.expect("it ends").unwrap() {
                    Some(pb::ExecuteResponse { part: Some(Part::Rejection(refused)) }) => break refused,
                    Some(_) => {}
                    None => panic!("a cancel is told"),
                }
            };
            assert_eq!(refused.sqlstate, "57014");
            drop(parts);
        }
        // The session can be used as soon as it has stopped.
        let counted = tokio::time::timeout(PATIENCE, async {
            loop {
                let answer = client.execute("select count(*) from t").await;
                match answer {
                    Ok(_) => break count(&mut client).await,
                    Err(status) => assert_eq!(crate::server::reason(&status), "SESSION_STATE", "{status:?}"),
                }
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(counted.await.expect("the session is free again"), 0);
        assert_eq!(give(&client, data).await, CopyDataOutcome::Unwanted);
    }
}

#[tokio::test]
async fn a_caller_that_gives_no_data_is_told_so() {
    let server = Postgres::start();
    let mut client = table(&server).await;
    let refused = rejection(&mut client, "copy t from stdin").await;
    assert_eq!(refused.sqlstate, "0A000");
    let answer = client.execute("begin; copy t from stdin; select 1").await.unwrap();
    assert_eq!(ends(&answer), ["BEGIN", "0A000"]);
    client.execute("rollback").await.unwrap();
    let answer = client.execute("copy t to stdout").await.unwrap();
    assert_eq!(ends(&answer), ["COPY 0"]);
}

#[tokio::test]
async fn a_server_that_ends_in_the_middle_is_told_as_its_end() {
    let mut server = Postgres::start();
    let client = table(&server).await;
    let request = pb::ExecuteRequest { gives_copy_data: true, ..client.execute_request("copy t from stdin") };
    let mut parts = client.grpc.clone().execute(request).await.unwrap().into_inner();
    assert!(matches!(parts.message().await.unwrap().unwrap().part, Some(Part::CopyIn(_))));
    server.stop();
    let end = async {
        let mut sqlstate = String::new();
        loop {
            match parts.message().await {
                Ok(Some(part)) => {
                    if let Some(Part::Rejection(refused)) = part.part {
                        sqlstate = refused.sqlstate;
                    }
                }
                Ok(None) => panic!("the session is over"),
                Err(status) => break (sqlstate, crate::server::reason(&status)),
            }
        }
    };
    let (sqlstate, reason) =
        tokio::time::timeout(PATIENCE, end).await.expect("it is heard while it waits for data");
    assert_eq!((sqlstate.as_str(), reason.as_str()), ("57P01", "CONNECTION_LOST"));
    let unwanted = give(&client, piece(&client, 0, b"1\ta\n", CopyDataEnd::Unspecified)).await;
    assert_eq!(unwanted, CopyDataOutcome::Unwanted);
}
