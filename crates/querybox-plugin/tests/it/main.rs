//! The SDK from a driver's and from Core's side: a counting driver passes the testkit, and mistakes are told.

#![expect(clippy::unwrap_used, reason = "tests and the driver that they run")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use querybox_plugin::{
    Column, ColumnKind, Done, Driver, Error, ExecuteError, OnError, Open, OpenError, Query, Results,
    SchemaError, SchemaObjects, Session, Stages, TextKind, pb,
    testkit::{Cases, Client, check},
};
use tokio::sync::Notify;
use tonic::Code;

/// How long the database takes to hear a request to cancel.
const SLOW: Duration = Duration::from_millis(200);

/// A database of a few words: `count N`, `forever`, `wide N`, `huge N`, `twins`, `nothing`, `note`, `panic`, `lost`.
struct Counter;

#[derive(Default)]
struct Counting {
    stopped: Arc<Notify>,
    /// The database has not taken a request to cancel yet.
    is_cancelling: AtomicBool,
}

impl Driver for Counter {
    type Session = Counting;

    fn info(&self) -> pb::PluginInfo {
        pb::PluginInfo {
            name: "Counter".into(),
            driver_type: "counter".into(),
            version: "1".into(),
            contract_version: querybox_plugin::CONTRACT_VERSION,
            capabilities: vec![pb::Capability::Cancel.into()],
            network_need: pb::NetworkNeed::None.into(),
            file_need: pb::FileNeed::None.into(),
            connection_form: vec![pb::FormField {
                name: "start".into(),
                label: "First number".into(),
                kind: pb::FormFieldKind::Number.into(),
                role: pb::FormFieldRole::Option.into(),
                default_value: "0".into(),
                ..pb::FormField::default()
            }],
            ..pb::PluginInfo::default()
        }
    }

    async fn open(&self, open: Open) -> Result<Counting, OpenError> {
        match open.parameters.text("start") {
            Some("-2") => panic!("on request"),
            Some("-3") => Err(Error::lost("ä".repeat(1 << 20)).into()),
            Some("-1") => Err(OpenError::Rejected(Box::new(rejection("there is nothing before 0")))),
            _ => Ok(Counting::default()),
        }
    }

    async fn test(&self, open: Open, stages: &mut Stages) -> Result<pb::ServerFacts, OpenError> {
        stages.begin(pb::TestStage::Dial);
        assert_ne!(open.parameters.text("start"), Some("-2"), "on request");
        stages.passed("").await;
        Ok(Counting::default().server())
    }
}

fn rejection(message: &str) -> pb::Rejection {
    pb::Rejection {
        sqlstate: "42601".into(),
        severity: "ERROR".into(),
        message: message.into(),
        ..pb::Rejection::default()
    }
}

fn column(name: &str, kind: ColumnKind) -> Column {
    Column { name: name.into(), database_type: String::new(), kind, origin_id: String::new() }
}

impl Session for Counting {
    fn server(&self) -> pb::ServerFacts {
        pb::ServerFacts { product: "Counter".into(), version: "1".into(), ..pb::ServerFacts::default() }
    }

    async fn execute(&self, query: Query, mut results: Results) -> Result<(), ExecuteError> {
        if self.is_cancelling.load(Ordering::SeqCst) {
            return Err(Error::lost("the cancel of another statement hit this one").into());
        }
        let mut at = 0;
        for text in query.sql.split_inclusive(';') {
            let (start, words) = (at, text.trim_end_matches(';'));
            at += text.len();
            let start = start + (words.len() - words.trim_start().len());
            let words = words.trim();
            if words.is_empty() {
                continue;
            }
            let statement = results.statement(start..start + words.len());
            let (verb, n) = words.split_once(' ').unwrap_or((words, "1"));
            let n: usize = n.parse().unwrap_or(0);
            let int = |name| column(name, ColumnKind::Int64);
            let columns = match verb {
                "count" | "forever" | "note" | "late" => vec![int("n")],
                "wide" => vec![int("n"); n],
                "twins" => vec![int("n"), int("n")],
                "huge" => vec![column("text", ColumnKind::Text(TextKind::Text))],
                "nothing" => vec![],
                "panic" => panic!("on request"),
                "lost" => return Err(Error::lost("the server went away").into()),
                _ => {
                    statement
                        .rejected(pb::Rejection { position_byte: Some(0), ..rejection("no such word") })
                        .await?;
                    match query.on_error {
                        OnError::Stop => break,
                        OnError::Continue => continue,
                    }
                }
            };
            let mut rows = statement.rows(&columns).await?;
            let wanted = match verb {
                "forever" => usize::MAX,
                "count" => n,
                _ => 1,
            };
            let mut cancelled = false;
            for i in 0..wanted {
                cancelled = query.cancelled.is_cancelled();
                if cancelled || !rows.begin_row() {
                    break;
                }
                match verb {
                    "huge" => rows.text(&"ä".repeat(n / 2)),
                    "note" => rows.exact_text("infinity", pb::Display::Unspecified),
                    _ => columns.iter().for_each(|_| rows.int(i64::try_from(i).unwrap())),
                }
                if rows.end_row() {
                    rows.flush().await?;
                }
            }
            if cancelled {
                let cancelled = pb::Rejection { sqlstate: "57014".into(), ..rejection("cancelled") };
                return rows.rejected(cancelled).await;
            }
            if verb == "late" {
                self.stopped.notified().await;
            }
            let transaction_state = pb::TransactionState::Unspecified;
            rows.finish(Done { affected_rows: None, command_tag: "COUNT".into(), transaction_state }).await?;
        }
        Ok(())
    }

    async fn schema(&self, _: pb::GetSchemaRequest, _: SchemaObjects) -> Result<(), SchemaError> {
        Err(Error::unsupported("there is no schema").into())
    }

    async fn cancel(&self) -> Result<(), Error> {
        self.is_cancelling.store(true, Ordering::SeqCst);
        self.stopped.notify_one();
        tokio::time::sleep(SLOW).await;
        self.is_cancelling.store(false, Ordering::SeqCst);
        Ok(())
    }
}

async fn opened() -> Client {
    let mut client = Client::connect(Counter);
    client.open(vec![], vec![]).await.unwrap();
    client
}

#[tokio::test]
async fn a_driver_on_the_sdk_passes_the_testkit() {
    check(
        || Counter,
        &Cases {
            parameters: vec![],
            secrets: vec![],
            one_row: "count 1",
            syntax_error: "compute 1",
            empty_result: "count 0",
            zero_columns: Some("nothing"),
            duplicate_names: "twins",
            wide_row: ("wide 2000".into(), 2000),
            huge_cell: ("huge 20000001", 20_000_000),
            noted_cell: Some("note"),
            endless: "forever",
        },
    )
    .await;
}

#[tokio::test]
async fn a_panic_of_the_driver_is_its_own_mistake_and_leaves_the_session() {
    let mut client = opened().await;
    let status = client.execute("panic").await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(status.message(), "the driver panicked: on request");
    client.execute("count 1").await.unwrap();
}

#[tokio::test]
async fn a_panic_in_open_or_test_is_told_as_well() {
    let mut client = Client::connect(Counter);
    let status = client.open(vec![("start".into(), "-2".into())], vec![]).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Internal, "the driver panicked: on request"));

    let mut client = Client::connect(Counter);
    let open = client.open_request(vec![("start".into(), "-2".into())], vec![]);
    let request = pb::TestConnectionRequest { open: Some(open) };
    let mut stages = client.grpc.test_connection(request).await.unwrap().into_inner();
    let stage = stages.message().await.unwrap().unwrap();
    let Some(pb::test_connection_response::Outcome::Failed(failed)) = stage.outcome else {
        panic!("{:?}", stage.outcome)
    };
    assert_eq!(failed.reason, "DRIVER_BROKEN");
}

#[tokio::test]
async fn a_long_failure_is_shortened_and_does_not_break_the_connection() {
    let mut client = Client::connect(Counter);
    let status = client.open(vec![("start".into(), "-3".into())], vec![]).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "ä".repeat(1024));
}

#[tokio::test]
async fn what_was_told_before_a_failure_arrives_before_its_status() {
    let mut client = opened().await;
    let mut parts = client.grpc.execute(client.execute_request("count 3; lost")).await.unwrap().into_inner();
    let mut told = 0;
    let status = loop {
        match parts.message().await {
            Ok(Some(_)) => told += 1,
            Ok(None) => panic!("the failure is not told"),
            Err(status) => break status,
        }
    };
    // Header, the first row, the other two, summary.
    assert_eq!(told, 4);
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "the server went away"));
}

#[tokio::test]
async fn a_refused_open_is_an_outcome_and_spends_the_driver() {
    let mut client = Client::connect(Counter);
    let outcome = client.open(vec![("start".into(), "-1".into())], vec![]).await.unwrap();
    let pb::open_response::Outcome::Rejection(rejection) = outcome else { panic!("{outcome:?}") };
    assert_eq!(rejection.message, "there is nothing before 0");
    assert!(client.open(vec![], vec![]).await.is_err());
    assert!(client.execute("count 1").await.is_err());
}

#[tokio::test]
async fn a_rows_position_counts_from_the_script_and_not_from_its_statement() {
    let mut client = opened().await;
    let answer = client.execute("count 1; guess").await.unwrap();
    let rejection = answer.statements[1].rejection.as_ref().unwrap();
    assert_eq!(rejection.position_byte, Some(9));
    assert_eq!(rejection.span, Some(pb::Span { start_byte: 9, end_byte: 14 }));
}

#[tokio::test]
async fn a_session_that_waits_is_cancelled_too() {
    let mut client = opened().await;
    let mut parts = client.grpc.execute(client.execute_request("late")).await.unwrap().into_inner();
    parts.message().await.unwrap();
    parts.message().await.unwrap();
    drop(parts);
    tokio::time::timeout(Duration::from_secs(5), async {
        while client.execute("count 1").await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the dropped stream reaches the session's cancel");
}

#[tokio::test]
async fn nothing_begins_while_a_request_to_cancel_is_on_its_way() {
    let mut client = opened().await;
    for is_given_up in [false, true] {
        let mut parts = client.grpc.execute(client.execute_request("late")).await.unwrap().into_inner();
        parts.message().await.unwrap();
        let request =
            pb::CancelRequest { session_id: client.session_id.clone(), ..pb::CancelRequest::default() };
        if is_given_up {
            tokio::time::timeout(SLOW / 4, client.grpc.cancel(request)).await.unwrap_err();
            while parts.message().await.unwrap().is_some() {}
        } else {
            let mut grpc = client.grpc.clone();
            let next = async {
                while parts.message().await.unwrap().is_some() {}
                client.execute("count 1").await.unwrap();
            };
            let (cancelled, ()) = tokio::join!(grpc.cancel(request), next);
            assert_eq!(cancelled.unwrap().into_inner().outcome(), pb::CancelOutcome::Requested);
        }
        client.execute("count 1").await.unwrap();
    }
}
