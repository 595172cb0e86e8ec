//! `querybox history`: what ran, here or on a server.

mod show;

use jiff::Timestamp;
use querybox_contracts::core::v1::{
    self as core, ConnectionRef, DeleteRunsRequest, HistoryLevel, Run, TextKeeping, connection_ref::Key,
    connection_service_client::ConnectionServiceClient, delete_runs_request::Choice,
    history_service_client::HistoryServiceClient,
};

use crate::{
    app::App,
    channel::Channel,
    cli::history::{DeleteArgs, ListArgs, Verb},
    composition::MESSAGE_BYTES_MAX,
    exit::Exit,
    failure::Failure,
    ids,
    reason::Reason,
    stdout, words,
};

const LIST: &str = "querybox history list";
/// The largest page that a Core gives.
const PAGE_MAX: u32 = 1_000;

/// Carries a verb out.
pub(crate) async fn run(verb: Verb, app: &App) -> Result<Exit, Failure> {
    match verb {
        Verb::List(args) => list(app, String::new(), args).await,
        Verb::Search { words, list: args } => list(app, words.join(" "), args).await,
        Verb::Show { run, json } => {
            let run_id = find(app, &run).await?;
            let answer = client(app).get_run(core::GetRunRequest { run_id }).await?;
            let core::GetRunResponse { run, text } = answer.into_inner();
            let run = run.unwrap_or_default();
            if json.json {
                stdout::print_json(&show::document(&run, &text))?;
            } else {
                stdout::print(&show::one(&run, &text, app.messages.screen().stdout_paint))?;
            }
            Ok(Exit::Done)
        }
        Verb::Delete(args) => delete(app, args).await,
    }
}

async fn list(app: &App, words: String, args: ListArgs) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    let ListArgs { connection, outcomes, since, before, limit, json } = args;
    let connection_id = match &connection {
        Some(name) => connection_id(app, name).await?,
        None => String::new(),
    };
    let request = core::ListRunsRequest {
        connection_id,
        outcomes: outcomes.into_iter().map(|outcome| outcome.wire().into()).collect(),
        since: since.map(|since| timestamp(since.at(now))),
        before: before.map(|before| timestamp(before.at(now))),
        words,
        ..core::ListRunsRequest::default()
    };
    let is_search = !request.words.is_empty();
    let listing = pages(app, request, limit.0).await?;
    if json.json {
        let runs: Vec<_> = listing.runs.iter().map(|run| show::document(run, &run.text_start)).collect();
        stdout::print_json(&runs)?;
        return Ok(Exit::Done);
    }
    if listing.runs.is_empty() {
        app.messages.note(if is_search { "nothing was found" } else { "nothing is in the history" });
    } else {
        let ids: Vec<&str> = listing.runs.iter().map(|run| run.run_id.as_str()).collect();
        let screen = app.messages.screen();
        let text = show::list(&listing.runs, &ids::ends(&ids), now, screen.stdout_width, screen.stdout_paint);
        stdout::print(&text)?;
    }
    if listing.has_more {
        app.messages.note("(there may be more: `--limit none` lists all)");
    }
    if listing.unreadable_count > 0 {
        app.messages.warn(&format!(
            "{} cannot be opened, and could not be searched: the master key is not there",
            words::count(listing.unreadable_count.into(), "statement")
        ));
    }
    if let Some(why) = why_without_texts(&listing, app) {
        app.messages.note(why);
    }
    Ok(Exit::Done)
}

/// Why what runs now is found without its text, or not at all.
fn why_without_texts(listing: &Listing, app: &App) -> Option<&'static str> {
    match (listing.level, listing.keeping) {
        (HistoryLevel::Off, _) => {
            Some("(nothing is added: `[history]` in config.toml says `keep = \"off\"`)")
        }
        (HistoryLevel::Facts, _) => {
            Some("(statements are not kept: `[history]` in config.toml says `keep = \"facts\"`)")
        }
        (_, TextKeeping::Memory) if app.server.is_some() => {
            Some("(without a master key the server keeps statements in memory, until it ends)")
        }
        (_, TextKeeping::Memory) => {
            Some("(statements are not kept, for there is no master key: `querybox keys init` makes one)")
        }
        (_, TextKeeping::Plain) => Some("(statements are kept in the clear, as config.toml says)"),
        (_, TextKeeping::Sealed | TextKeeping::Unspecified) => None,
    }
}

/// What came of several pages.
struct Listing {
    runs: Vec<Run>,
    has_more: bool,
    unreadable_count: u32,
    keeping: TextKeeping,
    level: HistoryLevel,
}

async fn pages(
    app: &App,
    mut request: core::ListRunsRequest,
    limit: Option<u64>,
) -> Result<Listing, Failure> {
    let mut listing = Listing {
        runs: Vec::new(),
        has_more: true,
        unreadable_count: 0,
        keeping: TextKeeping::Unspecified,
        level: HistoryLevel::Unspecified,
    };
    loop {
        let left = limit.map(|limit| limit.saturating_sub(listing.runs.len() as u64));
        if left == Some(0) {
            return Ok(listing);
        }
        request.page_size =
            left.map_or(PAGE_MAX, |left| u32::try_from(left).unwrap_or(PAGE_MAX).min(PAGE_MAX));
        let page = client(app).list_runs(request.clone()).await?.into_inner();
        (listing.keeping, listing.level) = (page.keeping(), page.level());
        listing.unreadable_count = listing.unreadable_count.saturating_add(page.unreadable_count);
        listing.runs.extend(page.runs);
        listing.has_more = !page.next_page_token.is_empty();
        if !listing.has_more {
            return Ok(listing);
        }
        request.page_token = page.next_page_token;
    }
}

async fn delete(app: &App, args: DeleteArgs) -> Result<Exit, Failure> {
    let choice = match args {
        DeleteArgs { all: true, .. } => Choice::All(core::AllRuns {}),
        DeleteArgs { before: Some(before), .. } => Choice::Before(timestamp(before.at(Timestamp::now()))),
        DeleteArgs { connection: Some(name), .. } => Choice::ConnectionId(connection_id(app, &name).await?),
        DeleteArgs { runs, .. } => {
            let known = newest(app).await?;
            // All are found before the first is forgotten.
            let run_ids = runs.iter().map(|named| find_among(&known, named)).collect::<Result<_, _>>()?;
            Choice::Ids(core::RunIds { run_ids })
        }
    };
    let request = DeleteRunsRequest { choice: Some(choice) };
    let count = client(app).delete_runs(request).await?.into_inner().count;
    app.messages.note(&format!("forgot {}", words::count(count, "run")));
    Ok(Exit::Done)
}

/// The id of a connection, which may be gone: then its last run tells.
async fn connection_id(app: &App, name: &str) -> Result<String, Failure> {
    let connection = ConnectionRef { key: Some(Key::Name(name.to_owned())) };
    let request = core::GetConnectionRequest { connection: Some(connection) };
    let mut connections = ConnectionServiceClient::new(app.channel.clone());
    let failure = match connections.get_connection(request).await {
        Ok(answer) => return Ok(answer.into_inner().connection.unwrap_or_default().id),
        Err(status) => Failure::from(status),
    };
    if failure.reason != Some(Reason::ConnectionNotFound) {
        return Err(failure);
    }
    let past = pages(app, core::ListRunsRequest::default(), None).await?.runs;
    let named = past.into_iter().find(|run| run.connection_name.eq_ignore_ascii_case(name));
    named.map(|run| run.connection_id).ok_or(failure)
}

/// The id of a run that is named by it, by its end, or as the last one.
async fn find(app: &App, named: &str) -> Result<String, Failure> {
    find_among(&newest(app).await?, named)
}

fn find_among(runs: &[Run], named: &str) -> Result<String, Failure> {
    if named == "last" {
        let last = runs.first().ok_or_else(|| Failure::usage("nothing is in the history"))?;
        return Ok(last.run_id.clone());
    }
    let ids: Vec<&str> = runs.iter().map(|run| run.run_id.as_str()).collect();
    ids::find(&ids, named, "run", LIST)
}

/// The runs among which one is named by the end of its id.
async fn newest(app: &App) -> Result<Vec<Run>, Failure> {
    Ok(pages(app, core::ListRunsRequest::default(), Some(PAGE_MAX.into())).await?.runs)
}

fn client(app: &App) -> HistoryServiceClient<Channel> {
    HistoryServiceClient::new(app.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    // Of a time before 1970 the fraction is left out: nothing ran then.
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond().max(0) }
}
