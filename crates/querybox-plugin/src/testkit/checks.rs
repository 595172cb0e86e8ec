//! What any driver must hold.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use querybox_contracts::plugin::v1::{self as pb, execute_response::Part};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Answer, Client};
use crate::{Driver, ERROR_DOMAIN};

/// How long a driver may take for what must be quick.
const SOON: Duration = Duration::from_secs(5);

/// SQL of the driver's database for each thing that is checked.
#[derive(Debug, Clone)]
pub struct Cases {
    /// Parameters that open a session.
    pub parameters: Vec<(String, String)>,
    /// Secrets that open a session.
    pub secrets: Vec<(String, Vec<u8>)>,
    /// Returns one row.
    pub one_row: &'static str,
    /// The database refuses it for its syntax.
    pub syntax_error: &'static str,
    /// Returns columns and no rows.
    pub empty_result: &'static str,
    /// Returns a row without columns, where the database has that.
    pub zero_columns: Option<&'static str>,
    /// Returns two columns of one name.
    pub duplicate_names: &'static str,
    /// Returns a row of many columns, and how many.
    pub wide_row: (String, usize),
    /// Returns one cell of text larger than 16 MiB, and its size in bytes.
    pub huge_cell: (&'static str, u64),
    /// Returns one row whose first cell needs a note with exact text, where the database has such a value.
    pub noted_cell: Option<&'static str>,
    /// Returns rows for longer than a minute.
    pub endless: &'static str,
}

/// Checks all that any driver must hold, each with a fresh driver.
///
/// # Panics
///
/// With a sentence that says what does not hold.
pub async fn check<D: Driver>(make: impl Fn() -> D, cases: &Cases) {
    info_is_valid(&make().info());
    nothing_works_before_open(make()).await;
    a_driver_is_opened_once(make(), cases).await;
    a_foreign_session_id_is_refused(make(), cases).await;
    unknown_and_repeated_parameters_are_refused(make(), cases).await;
    results_have_their_shape(make(), cases).await;
    a_rejection_is_a_result(make(), cases).await;
    a_script_stops_or_goes_on(make(), cases).await;
    a_huge_cell_is_cut_and_says_so(make(), cases).await;
    limits_stop_rows_and_say_so(make(), cases).await;
    first_rows_leave_at_once_and_batches_are_bounded(make(), cases).await;
    a_slow_reader_holds_the_driver_back(make(), cases).await;
    one_thing_runs_at_a_time(make(), cases).await;
    cancel_ends_a_statement_and_leaves_the_session(make(), cases).await;
    a_dropped_stream_ends_the_statement(make(), cases).await;
    another_process_cancels_or_says_that_it_cannot([make(), make(), make()], cases).await;
    a_test_tells_its_stages(make(), cases).await;
    let client = opened(make(), cases).await;
    client.close().await;
}

fn info_is_valid(info: &pb::PluginInfo) {
    let json = serde_json::to_string(info).expect("the info has a JSON form");
    let read: pb::PluginInfo = serde_json::from_str(&json).expect("the JSON form reads back");
    assert_eq!(&read, info, "the JSON form is exact");
    assert!((1..=60).contains(&info.name.chars().count()), "the name is 1 to 60 characters");
    let mut word = info.driver_type.chars();
    assert!(
        word.next().is_some_and(|first| first.is_ascii_lowercase())
            && word.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && info.driver_type.len() <= 64,
        "the type is one word: {:?}",
        info.driver_type
    );
    assert_eq!(info.contract_version, crate::CONTRACT_VERSION);
    assert!(!info.version.is_empty());
    assert_ne!(info.network_need(), pb::NetworkNeed::Unspecified);
    assert_ne!(info.file_need(), pb::FileNeed::Unspecified);
    assert_eq!(info.network_need() == pb::NetworkNeed::Dialed, !info.socket_kinds.is_empty());
    let mut names = HashSet::new();
    for field in &info.connection_form {
        assert!(names.insert(&field.name), "field {:?} comes once", field.name);
        assert!(!field.label.is_empty(), "field {:?} has a label", field.name);
        assert_ne!(field.kind(), pb::FormFieldKind::Unspecified, "field {:?} has a kind", field.name);
        assert_ne!(field.role(), pb::FormFieldRole::Unspecified, "field {:?} has a role", field.name);
        let is_select = field.kind() == pb::FormFieldKind::Select;
        assert_eq!(is_select, !field.options.is_empty(), "a select has options: {:?}", field.name);
        assert!(field.kind() != pb::FormFieldKind::Password || field.secret, "a password is a secret");
        assert!(!field.secret || field.default_value.is_empty(), "a secret has no default");
    }
}

async fn nothing_works_before_open<D: Driver>(driver: D) {
    let mut client = Client::connect(driver);
    refused(client.execute("select 1").await, Code::FailedPrecondition, "SESSION_STATE");
    refused(client.schema(pb::GetSchemaRequest::default()).await, Code::FailedPrecondition, "SESSION_STATE");
}

async fn a_driver_is_opened_once<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let again = client.open(cases.parameters.clone(), cases.secrets.clone()).await;
    refused(again, Code::FailedPrecondition, "SESSION_STATE");
    client.execute(cases.one_row).await.expect("the open session is not disturbed");
}

async fn a_foreign_session_id_is_refused<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let own = std::mem::replace(&mut client.session_id, uuid::Uuid::now_v7().to_string());
    refused(client.execute(cases.one_row).await, Code::PermissionDenied, "SESSION_FOREIGN");
    refused(client.schema(pb::GetSchemaRequest::default()).await, Code::PermissionDenied, "SESSION_FOREIGN");
    refused(cancel(&mut client).await, Code::PermissionDenied, "SESSION_FOREIGN");
    client.session_id = own;
    client.execute(cases.one_row).await.expect("the session's own id works");
}

async fn unknown_and_repeated_parameters_are_refused<D: Driver>(driver: D, cases: &Cases) {
    let mut parameters = cases.parameters.clone();
    parameters.push(("no_such_parameter".into(), "1".into()));
    let mut client = Client::connect(driver);
    let status = client.open(parameters, cases.secrets.clone()).await;
    let message = refused(status, Code::InvalidArgument, "PARAMETER_INVALID");
    assert!(message.contains("no_such_parameter"), "the parameter is named: {message}");
}

async fn results_have_their_shape<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let mut shape = async |sql: &str| {
        let answer = client.execute(sql).await.expect("the statement runs");
        let [statement] = &answer.statements[..] else { panic!("one statement, one result: {answer:?}") };
        assert_eq!(statement.rejection, None, "{sql}");
        let header = statement.header.clone().expect("a result has a header");
        assert!(header.returns_rows, "{sql}");
        let notes: Vec<_> = statement.batches.iter().flat_map(|(_, notes)| notes.clone()).collect();
        (header.columns, statement.rows(), notes)
    };
    assert_eq!(shape(cases.one_row).await.1, 1);
    let (columns, rows, _) = shape(cases.empty_result).await;
    assert!(!columns.is_empty() && rows == 0, "an empty result still has its columns");
    if let Some(sql) = cases.zero_columns {
        let (columns, rows, _) = shape(sql).await;
        assert!(columns.is_empty() && rows == 1, "a row without columns is a row");
    }
    let (columns, ..) = shape(cases.duplicate_names).await;
    assert!(columns.len() == 2 && columns[0].name == columns[1].name, "names are told as they are");
    let (columns, rows, _) = shape(&cases.wide_row.0).await;
    assert_eq!((columns.len(), rows), (cases.wide_row.1, 1), "a wide row arrives whole");
    if let Some(sql) = cases.noted_cell {
        let (_, _, notes) = shape(sql).await;
        let [pb::CellNote { row: 0, column: 0, note: Some(pb::cell_note::Note::ExactText(text)), .. }] =
            &notes[..]
        else {
            panic!("the first cell has a note: {notes:?}")
        };
        assert!(!text.is_empty());
    }
    for nothing in ["", " \n\t "] {
        let answer = client.execute(nothing).await.expect("nothing runs");
        assert!(answer.statements.is_empty(), "a script of nothing has no result");
    }
}

async fn a_rejection_is_a_result<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let answer = client.execute(cases.syntax_error).await.expect("a refusal is no status");
    let [statement] = &answer.statements[..] else { panic!("one statement: {answer:?}") };
    let rejection = statement.rejection.as_ref().expect("the syntax is refused");
    assert!(!rejection.message.is_empty() && !rejection.severity.is_empty(), "{rejection:?}");
    assert!(!rejection.sqlstate.is_empty() || !rejection.vendor_code.is_empty(), "{rejection:?}");
    assert!(rejection.sqlstate.is_empty() || rejection.sqlstate.len() == 5, "{rejection:?}");
    client.execute(cases.one_row).await.expect("the session is usable after a refusal");
}

async fn a_script_stops_or_goes_on<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let script = format!("{};\n{};\n{}", cases.one_row, cases.syntax_error, cases.one_row);
    let ends = |answer: &Answer| -> Vec<bool> {
        answer.statements.iter().map(|statement| statement.summary.is_some()).collect()
    };
    let answer = client.execute(&script).await.expect("the script runs");
    assert_eq!(ends(&answer), [true, false], "a script stops at the first refusal");
    let spans: Vec<_> = answer.statements.iter().filter_map(|s| s.header.as_ref()?.span).collect();
    for span in spans {
        let text = &script[span.start_byte as usize..span.end_byte as usize];
        assert_eq!(
            text.trim_end_matches(';'),
            cases.one_row,
            "a span is the statement's place in the script"
        );
    }
    let request =
        pb::ExecuteRequest { on_error: pb::OnError::Continue.into(), ..client.execute_request(&script) };
    let answer = client.execute_with(request).await.expect("the script runs");
    assert_eq!(ends(&answer), [true, false, true], "a script goes on when it is told to");
}

async fn a_huge_cell_is_cut_and_says_so<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let answer = client.execute(cases.huge_cell.0).await.expect("a huge cell is no failure");
    let notes = answer.statements[0].batches.iter().flat_map(|(_, notes)| notes);
    let sizes: Vec<_> = notes
        .filter_map(|note| match note.note {
            Some(pb::cell_note::Note::CutAtSize(size)) => Some(size),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [cases.huge_cell.1], "the cut cell tells its full size");
}

async fn limits_stop_rows_and_say_so<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let stopped = async |client: &mut Client, request| {
        let answer = client.execute_with(request).await.expect("a limit is no failure");
        answer.statements[0].summary.clone().expect("a limit is no refusal")
    };
    let request = pb::ExecuteRequest { rows_max: 10, ..client.execute_request(cases.endless) };
    let summary = stopped(&mut client, request).await;
    assert_eq!((summary.rows, summary.stopped_by()), (10, pb::StoppedBy::RowsMax));

    let request = pb::ExecuteRequest { bytes_max: 300_000, ..client.execute_request(cases.endless) };
    let summary = stopped(&mut client, request).await;
    assert_eq!(summary.stopped_by(), pb::StoppedBy::BytesMax);

    let request = pb::ExecuteRequest { rows_max: 1, ..client.execute_request(cases.one_row) };
    let summary = stopped(&mut client, request).await;
    assert_eq!(summary.stopped_by(), pb::StoppedBy::Unspecified, "a result as long as the limit is whole");
}

async fn first_rows_leave_at_once_and_batches_are_bounded<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let asked = Instant::now();
    let mut parts =
        client.grpc.execute(client.execute_request(cases.endless)).await.expect("it runs").into_inner();
    let mut batches = 0;
    while batches < 20 {
        let part = parts.next().await.expect("it is endless").expect("it runs").part;
        if let Some(Part::Batch(batch)) = part {
            if batches == 0 {
                assert!(asked.elapsed() < SOON, "the first row is there soon");
                assert!(batch.arrow_body.len() < 64 * 1024, "the first batch is small");
            }
            assert!(batch.arrow_body.len() < 512 * 1024, "a batch is cut by its size");
            batches += 1;
        }
    }
}

async fn a_slow_reader_holds_the_driver_back<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let mut parts =
        client.grpc.execute(client.execute_request(cases.endless)).await.expect("it runs").into_inner();
    // What piles up while nobody reads is what one poll without waiting finds afterwards.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut waiting = 0;
    while let Some(Some(part)) = futures::FutureExt::now_or_never(parts.next()) {
        if let Some(Part::Batch(batch)) = part.expect("it runs").part {
            waiting += batch.arrow_body.len();
        }
    }
    assert!(waiting < 8 * 1024 * 1024, "{waiting} bytes piled up while nobody read");
}

async fn one_thing_runs_at_a_time<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let running = client.grpc.execute(client.execute_request(cases.endless)).await.expect("it runs");
    refused(client.execute(cases.one_row).await, Code::FailedPrecondition, "SESSION_STATE");
    drop(running);
}

async fn cancel_ends_a_statement_and_leaves_the_session<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    assert_eq!(cancel(&mut client).await.expect("it is no failure"), pb::CancelOutcome::NothingRuns);
    let mut parts =
        client.grpc.execute(client.execute_request(cases.endless)).await.expect("it runs").into_inner();
    loop {
        if let Some(Part::Batch(_)) = parts.next().await.expect("endless").expect("it runs").part {
            break;
        }
    }
    let asked = Instant::now();
    assert_eq!(cancel(&mut client).await.expect("it is asked"), pb::CancelOutcome::Requested);
    let mut last = None;
    while let Some(part) = parts.next().await {
        last = part.expect("a cancelled stream ends with its own rejection").part;
        assert!(asked.elapsed() < SOON, "a cancelled statement ends");
    }
    let Some(Part::Rejection(rejection)) = last else { panic!("a cancelled statement is refused: {last:?}") };
    assert!(
        rejection.sqlstate == "57014" || rejection.sqlstate.is_empty(),
        "query_canceled of the SQL standard's class 57: {rejection:?}"
    );
    client.execute(cases.one_row).await.expect("the session is usable after a cancel");
}

async fn a_dropped_stream_ends_the_statement<D: Driver>(driver: D, cases: &Cases) {
    let mut client = opened(driver, cases).await;
    let mut parts =
        client.grpc.execute(client.execute_request(cases.endless)).await.expect("it runs").into_inner();
    parts.next().await.expect("endless").expect("it runs");
    drop(parts);
    let dropped = Instant::now();
    loop {
        match client.execute(cases.one_row).await {
            Ok(_) => break,
            Err(status) => {
                assert_eq!(reason(&status), "SESSION_STATE", "{status:?}");
                assert!(dropped.elapsed() < SOON, "a statement that nobody reads ends");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn another_process_cancels_or_says_that_it_cannot<D: Driver>(
    [driver, other, spent]: [D; 3],
    cases: &Cases,
) {
    let able = driver.info().capabilities().any(|one| one == pb::Capability::DetachedCancel);
    let mut client = Client::connect(driver);
    let open = client.open_request(cases.parameters.clone(), cases.secrets.clone());
    let outcome = client.open_with(open.clone()).await.expect("it opens");
    let pb::open_response::Outcome::Opened(pb::Opened { cancel_token, .. }) = outcome else {
        panic!("the database refused: {outcome:?}")
    };
    assert_eq!(able, !cancel_token.is_empty(), "a token is given when another process can cancel with it");
    assert!(cancel_token.len() <= 1024, "a token has at most 1,024 bytes");
    let mut other = Client::connect(other);
    if !able {
        let answer = other.cancel_detached(open, cancel_token).await;
        refused(answer, Code::Unimplemented, "UNSUPPORTED");
        return;
    }

    let mut parts =
        client.grpc.execute(client.execute_request(cases.endless)).await.expect("it runs").into_inner();
    parts.next().await.expect("endless").expect("it runs");
    let asked = Instant::now();
    let answer = other.cancel_detached(open.clone(), cancel_token.clone()).await;
    assert_eq!(answer.expect("the database is asked"), pb::CancelOutcome::Requested);
    let mut last = None;
    while let Some(part) = parts.next().await {
        last = part.expect("a cancelled stream ends with its own rejection").part;
        assert!(asked.elapsed() < SOON, "a statement that another process cancels ends");
    }
    assert!(matches!(last, Some(Part::Rejection(_))), "a cancelled statement is refused: {last:?}");

    // It has seen another session's parameters.
    let answer = other.open(cases.parameters.clone(), cases.secrets.clone()).await;
    refused(answer, Code::FailedPrecondition, "SESSION_STATE");
    let mut spent = Client::connect(spent);
    let mut unknown = open;
    unknown.parameters.push(pb::Parameter { name: "no_such_parameter".into(), value: None });
    refused(spent.cancel_detached(unknown, cancel_token).await, Code::InvalidArgument, "PARAMETER_INVALID");
}

async fn a_test_tells_its_stages<D: Driver>(driver: D, cases: &Cases) {
    let mut client = Client::connect(driver);
    let open = client.open_request(cases.parameters.clone(), cases.secrets.clone());
    let request = pb::TestConnectionRequest { open: Some(open) };
    let stages: Vec<_> =
        client.grpc.test_connection(request).await.expect("it starts").into_inner().collect().await;
    let stages: Vec<_> = stages.into_iter().map(|stage| stage.expect("it runs")).collect();
    assert!(stages.iter().map(|stage| stage.stage).is_sorted(), "stages come in order: {stages:?}");
    let Some(pb::test_connection_response::Outcome::Passed(pb::TestPassed { server: Some(server) })) =
        stages.last().and_then(|stage| stage.outcome.clone())
    else {
        panic!("the last stage tells what was found: {stages:?}")
    };
    assert!(!server.product.is_empty() && !server.version.is_empty(), "{server:?}");
}

async fn opened<D: Driver>(driver: D, cases: &Cases) -> Client {
    let mut client = Client::connect(driver);
    let outcome = client.open(cases.parameters.clone(), cases.secrets.clone()).await.expect("it opens");
    assert!(matches!(outcome, pb::open_response::Outcome::Opened(_)), "the database refused: {outcome:?}");
    client
}

async fn cancel(client: &mut Client) -> Result<pb::CancelOutcome, Status> {
    let request = pb::CancelRequest { session_id: client.session_id.clone(), ..pb::CancelRequest::default() };
    Ok(client.grpc.cancel(request).await?.into_inner().outcome())
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Status>, code: Code, expected: &str) -> String {
    let status = result.expect_err("the call is refused");
    assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{status:?}");
    status.message().to_owned()
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("a status has an ErrorInfo: {status:?}"));
    assert_eq!(info.domain, ERROR_DOMAIN);
    info.reason.clone()
}
