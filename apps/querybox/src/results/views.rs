//! Views of kept results: made on the server, waited for here.

use std::{future::pending, time::Duration};

use querybox_contracts::core::v1::{
    self as core, Comparison, ViewState, cell_test::Test, condition::Condition as Which,
    event_service_client::EventServiceClient, view_kind::Kind, watch_events_response::Event,
};
use tokio::time::timeout;
use tonic::Streaming;

use super::{
    client, columns,
    export::{INCOMPLETE, share},
    place,
    place::Place,
};
use crate::{
    app::App,
    cli::results::{FilterArgs, SortArgs},
    exit::Exit,
    failure::Failure,
    progress::Progress,
    reason::Reason,
    signals::Interrupts,
    stdout, words,
};

/// The server tells how a view comes along. It is asked all the same when nothing came for so long: of a view that somebody else
/// has dropped it says nothing.
const ASKED_AFTER: Duration = Duration::from_secs(3);

pub(super) async fn sort(app: &App, args: SortArgs) -> Result<Exit, Failure> {
    let place = place::of(app, &args.place).await?;
    let column = |by: &String| {
        // A column may be named so itself.
        let is_name = place.statement.columns.iter().any(|column| column.name == *by);
        let (name, descending) = match by.strip_suffix(":desc").filter(|_| !is_name) {
            Some(name) => (name, true),
            None => (by.as_str(), false),
        };
        let column = columns::find(&place.statement.columns, name)?;
        let (nulls_first, ignore_case) = (args.nulls_first, args.ignore_case);
        Ok(core::SortColumn { column, descending, nulls_first, ignore_case })
    };
    let columns = args.by.iter().map(column).collect::<Result<_, Failure>>()?;
    make(app, place, Kind::Sort(core::Sort { columns })).await
}

pub(super) async fn filter(app: &App, args: FilterArgs) -> Result<Exit, Failure> {
    let place = place::of(app, &args.place).await?;
    let known = &place.statement.columns;
    let cell = |column: &str, test: Test| {
        let column = columns::find(known, column)?;
        let cell = core::CellTest { column, test: Some(test), ignore_case: args.ignore_case };
        Ok::<_, Failure>(core::Condition { condition: Some(Which::Cell(cell)) })
    };
    let mut conditions = Vec::new();
    for condition in args.conditions.chunks_exact(3) {
        conditions.push(cell(&condition[0], test(&condition[1], &condition[2])?)?);
    }
    for column in &args.null {
        conditions.push(cell(column, Test::IsNull(core::IsNull {}))?);
    }
    for column in &args.not_null {
        let is_null = cell(column, Test::IsNull(core::IsNull {}))?;
        conditions.push(core::Condition { condition: Some(Which::Not(Box::new(is_null))) });
    }
    if let Some(text) = &args.search {
        let found = (1..=known.len()).map(|number| {
            let column = u32::try_from(number - 1).unwrap_or(u32::MAX);
            let cell = core::CellTest { column, test: Some(Test::Contains(text.clone())), ignore_case: true };
            core::Condition { condition: Some(Which::Cell(cell)) }
        });
        let any = core::Conditions { conditions: found.collect() };
        conditions.push(core::Condition { condition: Some(Which::Any(any)) });
    }
    if conditions.is_empty() {
        return Err(Failure::usage("there is no condition")
            .with_hint("give one with `--where`, `--null`, `--not-null` or `--search`"));
    }
    let all = core::Conditions { conditions };
    make(app, place, Kind::Filter(core::Condition { condition: Some(Which::All(all)) })).await
}

fn test(operator: &str, value: &str) -> Result<Test, Failure> {
    let comparison = match operator {
        "=" => Comparison::Equal,
        "!=" | "<>" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        "contains" => return Ok(Test::Contains(value.to_owned())),
        "matches" => return Ok(Test::Matches(value.to_owned())),
        _ => {
            return Err(Failure::usage(format!("{operator} is no operator"))
                .with_hint("`=`, `!=`, `<`, `<=`, `>`, `>=`, `contains` and `matches` are"));
        }
    };
    Ok(Test::Compare(core::Compare { comparison: comparison.into(), value: value.to_owned() }))
}

/// Has a view made, waits for it, and prints its number. Ctrl-C stops its making.
async fn make(app: &App, place: Place, kind: Kind) -> Result<Exit, Failure> {
    let mut interrupts = Interrupts::listen()
        .map_err(|error| Failure::machinery(format!("cannot listen for signals: {error}")))?;
    let request = core::MakeViewRequest {
        result_id: place.result_id.clone(),
        statement: place.statement.statement,
        of_view: place.view,
        kind: Some(core::ViewKind { kind: Some(kind) }),
        page: None,
    };
    // Before the view is made, so that no word of it is missed. It is told to whoever gives no name, as this command gives none.
    let watch = core::WatchEventsRequest::default();
    let mut told = EventServiceClient::new(app.channel.clone()).watch_events(watch).await?.into_inner();
    let mut client = client(&app.channel);
    let mut view = client.make_view(request).await?.into_inner().view.unwrap_or_default();
    let progress = match app.messages.screen().stderr_is_terminal {
        true => Progress::shown("making the view"),
        false => Progress::hidden(),
    };
    let messages = app.messages.above(progress.line());
    while view.state() == ViewState::Making {
        progress.tell(&words::count(view.source_row_count, "row"), share(view.steps_done, view.steps_all));
        let changed = tokio::select! {
            changed = timeout(ASKED_AFTER, next_word(&mut told, &place.result_id, view.view)) => changed,
            () = interrupts.next() => {
                progress.end();
                let request = core::DropViewRequest { result_id: place.result_id, view: view.view };
                client.drop_view(request).await?;
                messages.say(&messages.screen().stderr_paint.warning("cancelled"));
                return Ok(Exit::Cancelled);
            }
        };
        view = match changed {
            Ok(Some(view)) => view,
            Ok(None) | Err(_) => {
                let request = core::GetViewRequest { result_id: place.result_id.clone(), view: view.view };
                client.get_view(request).await?.into_inner().view.unwrap_or_default()
            }
        };
    }
    progress.end();
    if let Some(failure) = view.failure {
        // One that could not be made is of no use to anybody.
        let request = core::DropViewRequest { result_id: place.result_id, view: view.view };
        client.drop_view(request).await?;
        let exit = Reason::parse(&failure.reason).map_or(Exit::Machinery, Exit::of);
        return Err(Failure::new(exit, failure.message));
    }
    stdout::print(&format!("{}\n", view.view))?;
    let (rows, of) = (words::count(view.row_count, "row"), words::grouped(view.source_row_count));
    let result = place::named_again(&place.result_id);
    if view.incomplete {
        messages.warn(INCOMPLETE);
    }
    messages
        .note(&format!("({rows} of {of}; `querybox results show {result} --view {}` shows them)", view.view));
    Ok(if view.incomplete { Exit::Limit } else { Exit::Done })
}

/// The next word of a view. `None`: it must be asked for.
async fn next_word(
    told: &mut Streaming<core::WatchEventsResponse>,
    result_id: &str,
    number: u32,
) -> Option<core::View> {
    loop {
        let Ok(Some(response)) = told.message().await else {
            // A server that ends says so when it is asked, which is not to be all the time.
            return pending().await;
        };
        match response.event? {
            Event::ViewChanged(core::ViewChanged { result_id: of, view: Some(view) })
                if of == result_id && view.view == number =>
            {
                return Some(view);
            }
            Event::ResultDropped(dropped) if dropped.result_id == result_id => return None,
            Event::Missed(_) => return None,
            _ => {}
        }
    }
}
