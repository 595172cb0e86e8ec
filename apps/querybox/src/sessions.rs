//! `querybox sessions`: what a server runs, and stopping it or giving it time.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use querybox_contracts::core::v1::{
    self as core, CancelReceipt, SessionActivity, SessionFacts, SessionKind,
    connection_service_client::ConnectionServiceClient, extend_deadline_request::Extension,
    session_service_client::SessionServiceClient,
};
use serde_json::json;

use crate::{
    app::App,
    channel::Channel,
    cli::{JsonArg, sessions::Verb, values::DeadlineArg},
    exit::Exit,
    failure::Failure,
    ids, stdout, words,
};

const HEAD: [&str; 7] = ["SESSION", "KIND", "STATE", "FOR", "LEFT", "DRIVER", "CONNECTION"];
const LIST: &str = "querybox sessions list";

/// Carries a verb out.
pub(crate) async fn run(verb: Verb, app: &App) -> Result<Exit, Failure> {
    match verb {
        Verb::List { json } => list(app, json).await,
        Verb::Cancel { sessions } => cancel(app, sessions).await,
        Verb::Extend { session, by } => extend(app, &session, by).await,
    }
}

/// Says why these verbs need a server, to whoever has none.
pub(crate) fn needs_a_server(failure: Failure) -> Failure {
    let hint = "a command without a server runs its own sessions, which end with it. `querybox serve` starts one, and \
                `--server` names one of another home";
    match failure.exit {
        Exit::Usage => failure.with_hint(hint),
        _ => failure,
    }
}

async fn list(app: &App, json: JsonArg) -> Result<Exit, Failure> {
    let sessions = all(app).await?;
    if sessions.is_empty() && !json.json {
        app.messages.note("no session runs, and none is leased");
        return Ok(Exit::Done);
    }
    let names = connection_names(app).await?;
    if json.json {
        let sessions: Vec<_> = sessions.iter().map(|session| document(session, &names)).collect();
        stdout::print_json(&sessions)?;
        return Ok(Exit::Done);
    }
    let ends = ids::ends(&ids_of(&sessions));
    let rows: Vec<_> = sessions.iter().zip(ends).map(|(session, end)| row(session, end, &names)).collect();
    stdout::print(&stdout::columns(HEAD, &rows, app.messages.screen().stdout_paint))?;
    Ok(Exit::Done)
}

/// Stops all that can be stopped, whatever becomes of the others. The first failure is how the command ends.
async fn cancel(app: &App, named: Vec<String>) -> Result<Exit, Failure> {
    let sessions = all(app).await?;
    let mut exit = Exit::Done;
    for named in named {
        match cancel_one(app, &sessions, &named).await {
            Ok(word) => app.messages.note(&format!("{named}: {word}")),
            Err(failure) => {
                if exit == Exit::Done {
                    exit = failure.exit;
                }
                let message = format!("{named}: {}", failure.message);
                app.messages.fail(&Failure { message, ..failure });
            }
        }
    }
    Ok(exit)
}

async fn cancel_one(app: &App, sessions: &[SessionFacts], named: &str) -> Result<String, Failure> {
    let session_id = find(sessions, named)?;
    let answer = client(&app.channel).cancel_session(core::CancelSessionRequest { session_id }).await?;
    let answer = answer.into_inner();
    let took = words::time(words::span(answer.elapsed.as_ref()));
    Ok(match answer.receipt() {
        CancelReceipt::Confirmed => format!("stopped after {took}, as the database says"),
        CancelReceipt::AlreadyDone => "nothing ran any more".to_owned(),
        CancelReceipt::Killed => format!("the database did not answer: its driver was killed after {took}"),
        CancelReceipt::Unspecified => "stopped".to_owned(),
    })
}

async fn extend(app: &App, named: &str, by: DeadlineArg) -> Result<Exit, Failure> {
    let session_id = find(&all(app).await?, named)?;
    let extension = match by {
        DeadlineArg::None => Extension::None(core::NoDeadline {}),
        DeadlineArg::After(by) => Extension::By(
            by.try_into().map_err(|_| Failure::usage("nothing takes so long: give a shorter time"))?,
        ),
    };
    let request = core::ExtendDeadlineRequest { session_id, extension: Some(extension) };
    let answer = client(&app.channel).extend_deadline(request).await?.into_inner();
    app.messages.note(&match &answer.remaining {
        None => format!("{named}: may take as long as it takes"),
        left => format!("{named}: {} left", words::time(words::span(left.as_ref()))),
    });
    Ok(Exit::Done)
}

async fn all(app: &App) -> Result<Vec<SessionFacts>, Failure> {
    Ok(client(&app.channel).list_sessions(core::ListSessionsRequest {}).await?.into_inner().sessions)
}

/// The names of saved connections by their ids.
async fn connection_names(app: &App) -> Result<HashMap<String, String>, Failure> {
    let mut client = ConnectionServiceClient::new(app.channel.clone());
    let saved = client.list_connections(core::ListConnectionsRequest {}).await?.into_inner().connections;
    Ok(saved.into_iter().map(|saved| (saved.id, saved.spec.unwrap_or_default().name)).collect())
}

fn ids_of(sessions: &[SessionFacts]) -> Vec<&str> {
    sessions.iter().map(|session| session.session_id.as_str()).collect()
}

fn find(sessions: &[SessionFacts], named: &str) -> Result<String, Failure> {
    ids::find(&ids_of(sessions), named, "session", LIST)
}

fn row(session: &SessionFacts, end: &str, names: &HashMap<String, String>) -> [String; 7] {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    [
        end.to_owned(),
        kind(session.kind()).to_owned(),
        activity(session.activity()).to_owned(),
        words::age(words::span(session.since.as_ref())),
        left(session).map_or_else(|| "-".to_owned(), words::time),
        or_dash(&session.driver_type),
        or_dash(names.get(&session.connection_id).map_or("", String::as_str)),
    ]
}

fn left(session: &SessionFacts) -> Option<Duration> {
    session.remaining.as_ref().map(|left| words::span(Some(left)))
}

fn document(session: &SessionFacts, names: &HashMap<String, String>) -> serde_json::Value {
    let started = session.started.as_ref().and_then(|started| Timestamp::from_second(started.seconds).ok());
    json!({
        "session_id": session.session_id,
        "kind": kind(session.kind()),
        "state": activity(session.activity()),
        "for_ms": words::span(session.since.as_ref()).as_millis(),
        "left_ms": left(session).map(|left| left.as_millis()),
        "started": started.map(|started| started.to_string()),
        "driver": session.driver_type,
        "connection": names.get(&session.connection_id),
        "front_end_id": session.front_end_id,
    })
}

fn kind(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Unspecified => "unknown",
        SessionKind::OneRequest => "one request",
        SessionKind::Leased => "leased",
    }
}

fn activity(activity: SessionActivity) -> &'static str {
    match activity {
        SessionActivity::Unspecified => "unknown",
        SessionActivity::Opening => "opening",
        SessionActivity::Running => "running",
        SessionActivity::Idle => "idle",
        SessionActivity::Ending => "ending",
    }
}

fn client(channel: &Channel) -> SessionServiceClient<Channel> {
    SessionServiceClient::new(channel.clone())
}
