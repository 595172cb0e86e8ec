//! What people do with a server.

use std::{sync::atomic::Ordering, time::Duration};

use anyhow::{Context as _, bail, ensure};
use querybox_contracts::{
    core::v1::{
        self as pb, CancelReceipt, ResultState, ViewState, execute_in_session_response::Part as LeasePart,
        execute_response::Part, get_schema_response::Part as SchemaPart, run_request::Target,
        view_kind::Kind,
    },
    plugin::v1::{SchemaObjectKind, execute_response::Part as ResultPart},
};
use tokio::time::sleep;
use tonic::{Code, Status, Streaming};

use super::{
    expected::{self, Looker},
    visitor::Visitor,
};
use crate::{
    random::Random,
    site::{connection, credential, in_lease, lease_request, leased, one_shot, session_id},
};

/// Rows of the results that are read.
const ROWS: usize = 20_000;
/// Rows of a window.
const WINDOW_ROWS: u32 = 100;
const WINDOWS: usize = 5;
/// Between two looks at something that is being made.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// SQLSTATE `division_by_zero` and `query_canceled`.
const DIVISION_BY_ZERO: &str = "22012";
const CANCELED: &str = "57014";
/// A result without end that comes as fast as it can.
const ENDLESS: &str = "select generate_series(1::bigint, 1000000000000) as i, repeat('x', 100) as text";

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// Runs a query and reads all of it.
    Reads,
    /// Has a session of its own, with a transaction.
    Leases,
    /// Keeps a result, looks at it here and there, sorts and filters it.
    Keeps,
    /// Stops what never ends.
    Cancels,
    /// Goes away in the middle of a result.
    Leaves,
    /// Makes a mistake.
    Errs,
    /// Looks at the tree.
    Browses,
}

impl Visit {
    pub(super) const ALL: [Self; 7] =
        [Self::Reads, Self::Leases, Self::Keeps, Self::Cancels, Self::Leaves, Self::Errs, Self::Browses];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Leases => "leases",
            Self::Keeps => "keeps",
            Self::Cancels => "cancels",
            Self::Leaves => "leaves",
            Self::Errs => "errs",
            Self::Browses => "browses",
        }
    }

    /// Goes through it and answers with how many rows were looked at.
    pub(super) async fn go(self, visitor: &Visitor, random: &mut Random) -> anyhow::Result<u64> {
        let rows = 1 + random.below(ROWS) as u64;
        match self {
            Self::Reads => reads(visitor, rows).await,
            Self::Leases => leases(visitor, rows).await,
            Self::Keeps => keeps(visitor, rows, random).await,
            Self::Cancels => cancels(visitor, random.time(Duration::from_millis(200))).await,
            Self::Leaves => leaves(visitor, 1 + random.below(20) as u64).await,
            Self::Errs => errs(visitor).await,
            Self::Browses => browses(visitor).await,
        }
    }
}

/// Begins a script as a session of its own. A full house is told on the stream, before the session has begun.
async fn begin(
    visitor: &Visitor,
    sql: &str,
) -> Result<(String, Streaming<pb::ExecuteResponse>, Option<pb::ExecuteResponse>), Status> {
    visitor
        .once_there_is_room(|| async {
            let session = session_id();
            let mut stream = visitor.queries().execute(one_shot(&session, sql)).await?.into_inner();
            let first = stream.message().await?;
            Ok((session, stream, first))
        })
        .await
}

async fn reads(visitor: &Visitor, rows: u64) -> anyhow::Result<u64> {
    let (_, stream, first) = begin(visitor, &expected::query(rows)).await?;
    look(stream, first).await?.end(rows)
}

/// Reads to the last word.
async fn look(
    mut stream: Streaming<pb::ExecuteResponse>,
    first: Option<pb::ExecuteResponse>,
) -> anyhow::Result<Looker> {
    let (mut looker, mut message) = (Looker::new(), first);
    while let Some(pb::ExecuteResponse { part }) = message {
        match part {
            Some(Part::Result(part)) => looker.take(part)?,
            Some(Part::Ended(_)) => return Ok(looker),
            Some(Part::Session(_)) | None => {}
        }
        message = stream.message().await?;
    }
    bail!("the stream did not say how it ended")
}

async fn leases(visitor: &Visitor, rows: u64) -> anyhow::Result<u64> {
    let session = visitor
        .once_there_is_room(|| async {
            let session = session_id();
            let request = pb::OpenSessionRequest {
                front_end_id: visitor.front_end_id.clone(),
                ..lease_request(&session)
            };
            let answer = visitor.sessions().open_session(request).await?.into_inner();
            Ok((session, answer))
        })
        .await;
    let (session, answer) = session?;
    leased(answer)?;
    for script in [
        "begin",
        "create temp table kept (i bigint) on commit drop",
        &format!("insert into kept select generate_series(1, {rows})"),
    ] {
        looked_at(visitor, &session, script).await?;
    }
    // The same session, the same transaction: what was put there is there.
    let seen = looked_at(
        visitor,
        &session,
        "select i, 'label ' || i as label, case when i % 20 <> 0 then (i / 8.0)::numeric(20,3) end as price from kept \
         order by i",
    )
    .await?
    .end(rows)?;
    looked_at(visitor, &session, "commit").await?;
    visitor.sessions().close_session(pb::CloseSessionRequest { session_id: session }).await?;
    Ok(seen)
}

async fn looked_at(visitor: &Visitor, session: &str, sql: &str) -> anyhow::Result<Looker> {
    let mut stream = visitor.sessions().execute_in_session(in_lease(session, sql)).await?.into_inner();
    let mut looker = Looker::new();
    while let Some(message) = stream.message().await? {
        if let Some(LeasePart::Result(part)) = message.part {
            looker.take(part)?;
        }
    }
    if let Some(sqlstate) = &looker.rejected {
        bail!("{sql:?} was rejected: {sqlstate}");
    }
    Ok(looker)
}

async fn keeps(visitor: &Visitor, rows: u64, random: &mut Random) -> anyhow::Result<u64> {
    let ran = visitor
        .once_there_is_room(|| async {
            let request = pb::RunRequest {
                result_id: session_id(),
                target: Some(Target::Connection(connection())),
                credential: Some(credential()),
                sql: expected::query(rows),
                front_end_id: visitor.front_end_id.clone(),
                page: Some(pb::PageOptions { row_count: WINDOW_ROWS, cell_bytes_max: 0 }),
                ..pb::RunRequest::default()
            };
            Ok(visitor.results().run(request).await?.into_inner())
        })
        .await?;
    let result_id = ran.result.context("a run has a result")?.result_id;
    let seen = looks_around(visitor, &result_id, rows, random).await;
    // Also when it went wrong: whoever comes next needs the room.
    visitor.results().drop_result(pb::DropResultRequest { result_id }).await?;
    seen
}

async fn looks_around(
    visitor: &Visitor,
    result_id: &str,
    rows: u64,
    random: &mut Random,
) -> anyhow::Result<u64> {
    let statement = loop {
        let request = pb::AttachResultRequest { result_id: result_id.to_owned(), ..Default::default() };
        let result = visitor.results().attach_result(request).await?.into_inner().result;
        let result = result.context("an answer without a result")?;
        match result.state() {
            ResultState::Running => sleep(LOOK_EVERY).await,
            ResultState::Done => break result.statements.first().context("a statement ran")?.statement,
            state => bail!("it ended as {state:?}: {:?} {:?}", result.failure, result.rejection),
        }
    };
    let mut seen = 0;
    for _ in 0..WINDOWS {
        let first = random.below(rows as usize) as u64;
        let count = u64::from(WINDOW_ROWS).min(rows - first);
        seen +=
            window(visitor, result_id, statement, 0, first, (first + 1..=first + count).collect()).await?;
    }
    let column = pb::SortColumn { column: 0, descending: true, ..pb::SortColumn::default() };
    let sorted = Kind::Sort(pb::Sort { columns: vec![column] });
    let (view, row_count) = view(visitor, result_id, statement, sorted).await?;
    ensure!(row_count == rows, "{row_count} rows were sorted, and not {rows}");
    let last = rows.saturating_sub(u64::from(WINDOW_ROWS)) + 1;
    seen += window(visitor, result_id, statement, view, 0, (last..=rows).rev().collect()).await?;
    let most = 1 + random.below(rows as usize) as u64;
    let test = pb::cell_test::Test::Compare(pb::Compare {
        comparison: pb::Comparison::LessOrEqual.into(),
        value: most.to_string(),
    });
    let cell = pb::CellTest { column: 0, test: Some(test), ignore_case: false };
    let filtered = Kind::Filter(pb::Condition { condition: Some(pb::condition::Condition::Cell(cell)) });
    let (_, row_count) = self::view(visitor, result_id, statement, filtered).await?;
    ensure!(row_count == most, "{row_count} rows were filtered, and not {most}");
    Ok(seen)
}

/// Makes a view and waits for it. Answers with its number and how many rows it has.
async fn view(visitor: &Visitor, result_id: &str, statement: u32, kind: Kind) -> anyhow::Result<(u32, u64)> {
    let made = visitor
        .once_there_is_room(|| async {
            let request = pb::MakeViewRequest {
                result_id: result_id.to_owned(),
                statement,
                of_view: 0,
                kind: Some(pb::ViewKind { kind: Some(kind.clone()) }),
                page: None,
            };
            Ok(visitor.results().make_view(request).await?.into_inner())
        })
        .await?;
    let mut view = made.view.context("an answer without a view")?;
    loop {
        match view.state() {
            ViewState::Ready => return Ok((view.view, view.row_count)),
            ViewState::Making => sleep(LOOK_EVERY).await,
            state => bail!("a view ended as {state:?}: {:?}", view.failure),
        }
        let request = pb::GetViewRequest { result_id: result_id.to_owned(), view: view.view };
        view = visitor.results().get_view(request).await?.into_inner().view.context("no view")?;
    }
}

/// Reads a window and holds each cell against what it must be.
async fn window(
    visitor: &Visitor,
    result_id: &str,
    statement: u32,
    view: u32,
    first_row: u64,
    expected: Vec<u64>,
) -> anyhow::Result<u64> {
    let request = pb::ReadRowsRequest {
        result_id: result_id.to_owned(),
        statement,
        view,
        first_row,
        row_count: expected.len() as u32,
        ..pb::ReadRowsRequest::default()
    };
    let rows = visitor.results().read_rows(request).await?.into_inner().rows.context("no rows")?;
    let nulls: Vec<u32> =
        rows.marks.iter().filter(|mark| mark.state() == pb::CellState::Null).map(|mark| mark.index).collect();
    let cells: Vec<Option<String>> =
        (0_u32..).zip(rows.texts).map(|(index, text)| (!nulls.contains(&index)).then_some(text)).collect();
    let wanted: Vec<Option<String>> = expected.iter().flat_map(|i| expected::cells(*i)).collect();
    ensure!(cells == wanted, "the window at {first_row} of view {view} has other rows: {cells:?}");
    Ok(expected.len() as u64)
}

async fn cancels(visitor: &Visitor, moment: Duration) -> anyhow::Result<u64> {
    let (session, mut stream, _) = begin(visitor, ENDLESS).await?;
    let reading = async {
        let mut last = String::new();
        loop {
            match stream.message().await {
                Ok(Some(message)) => {
                    if let Some(Part::Result(part)) = message.part
                        && let Some(ResultPart::Rejection(rejection)) = part.part
                    {
                        last = rejection.sqlstate;
                    }
                }
                Ok(None) => return Ok(last),
                // What was on its way when the cancel came did not fit.
                Err(status) if status.code() == Code::Cancelled => return Ok(CANCELED.to_owned()),
                Err(status) => return Err(status),
            }
        }
    };
    let stopping = async {
        sleep(moment).await;
        visitor.sessions().cancel_session(pb::CancelSessionRequest { session_id: session.clone() }).await
    };
    let (last, stopped) = tokio::join!(reading, stopping);
    let receipt = stopped?.into_inner().receipt();
    ensure!(last? == CANCELED, "what was cancelled did not end so");
    match receipt {
        CancelReceipt::Confirmed => {}
        // Two cores did not get round to it within Core's grace. What ran has ended all the same.
        CancelReceipt::Killed => {
            visitor.noted().killed.fetch_add(1, Ordering::Relaxed);
        }
        receipt => bail!("the receipt is {receipt:?}"),
    }
    Ok(0)
}

async fn leaves(visitor: &Visitor, batches: u64) -> anyhow::Result<u64> {
    let (_, mut stream, _) = begin(visitor, &expected::query(10_000_000)).await?;
    let mut looker = Looker::new();
    while looker.batches() < batches {
        match stream.message().await?.context("a large result ends too soon")?.part {
            Some(Part::Result(part)) => looker.take(part)?,
            Some(Part::Ended(_)) => bail!("a large result ends too soon"),
            Some(Part::Session(_)) | None => {}
        }
    }
    // The stream is dropped here, and nobody says why.
    Ok(0)
}

async fn errs(visitor: &Visitor) -> anyhow::Result<u64> {
    let (_, mut stream, first) = begin(visitor, "select 1 / 0").await?;
    let (mut rejected, mut message) = (None, first);
    while let Some(pb::ExecuteResponse { part }) = message {
        if let Some(Part::Result(part)) = part
            && let Some(ResultPart::Rejection(rejection)) = part.part
        {
            rejected = Some(rejection.sqlstate);
        }
        message = stream.message().await?;
    }
    ensure!(rejected.as_deref() == Some(DIVISION_BY_ZERO), "it was answered by {rejected:?}");
    Ok(0)
}

async fn browses(visitor: &Visitor) -> anyhow::Result<u64> {
    let mut stream = visitor
        .once_there_is_room(|| async {
            let request = pb::GetSchemaRequest {
                session_id: session_id(),
                connection: Some(connection()),
                credential: Some(credential()),
                kinds: vec![SchemaObjectKind::Schema.into()],
                ..pb::GetSchemaRequest::default()
            };
            Ok(visitor.schemas().get_schema(request).await?.into_inner())
        })
        .await?;
    let mut objects = 0;
    while let Some(message) = stream.message().await? {
        if let Some(SchemaPart::Objects(page)) = message.part {
            objects += page.objects.len();
        }
    }
    ensure!(objects > 0, "a database without a schema");
    Ok(0)
}
