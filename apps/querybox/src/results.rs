//! `querybox results`, and `query --keep`: results that a server keeps.

mod columns;
mod export;
mod list;
mod place;
mod show;
mod stats;
mod views;

use querybox_contracts::core::v1::{
    self as core, ResultState, result_service_client::ResultServiceClient, run_request::Target,
};
use uuid::Uuid;

use crate::{
    app::App,
    cli::{query::QueryArgs, results::Verb},
    composition::{Channel, MESSAGE_BYTES_MAX},
    connections::named,
    exit::Exit,
    failure::Failure,
    messages::Messages,
    query::PreparedToKeep,
    reason::Reason,
    sanitize, secrets, stdout, words,
};

/// A verb, and what is known before the server is asked.
pub(crate) struct Prepared {
    verb: Verb,
    export: Option<export::Prepared>,
}

/// Refuses what can be refused without a server.
pub(crate) async fn prepare(verb: Verb, messages: &Messages) -> Result<Prepared, Failure> {
    let export = match &verb {
        Verb::Export(args) => Some(export::prepare(args, messages).await?),
        _ => None,
    };
    Ok(Prepared { verb, export })
}

/// Carries a verb out.
pub(crate) async fn run(prepared: Prepared, app: &App) -> Result<Exit, Failure> {
    match (prepared.verb, prepared.export) {
        (Verb::List { json }, _) => list::run(app, json).await,
        (Verb::Show(args), _) => show::run(app, args).await,
        (Verb::Sort(args), _) => views::sort(app, args).await,
        (Verb::Filter(args), _) => views::filter(app, args).await,
        (Verb::Stats(args), _) => stats::run(app, args).await,
        (Verb::Export(args), Some(prepared)) => export::run(app, args, prepared).await,
        (Verb::Export(_), None) => unreachable!("an export is prepared as one"),
        (Verb::Drop { results, all }, _) => drop_results(app, results, all).await,
    }
}

/// Runs SQL on a server that keeps what comes of it, and prints the result's id. It goes on when this command has ended.
pub(crate) async fn keep(args: QueryArgs, prepared: PreparedToKeep, app: &App) -> Result<Exit, Failure> {
    let connection = named(&args.connection);
    let credential = secrets::of_connection(app, &connection, &prepared.secret).await?;
    let request = core::RunRequest {
        result_id: Uuid::now_v7().to_string(),
        target: Some(Target::Connection(connection)),
        credential,
        sql: prepared.sql,
        options: Some(prepared.options),
        ..core::RunRequest::default()
    };
    let id = request.result_id.clone();
    let answer =
        client(&app.channel).run(request).await.map_err(|status| unsure(status.into(), &id))?.into_inner();
    let result = answer.result.unwrap_or_default();
    stdout::print(&format!("{}\n", result.result_id))?;
    app.messages.note(&standing(&result));
    Ok(Exit::Done)
}

/// An answer that was lost says nothing of the run: whoever looks for it is told its id.
fn unsure(failure: Failure, id: &str) -> Failure {
    match (failure.exit, failure.reason) {
        (Exit::Machinery, None) => {
            failure.with_hint(format!("it may run all the same: `querybox results show {id}` tells"))
        }
        _ => failure,
    }
}

/// How a run stands that has just begun.
fn standing(result: &core::Result) -> String {
    let word = list::word(result.state());
    match (result.state(), &result.failure) {
        (_, Some(failure)) => format!("({word}: {})", sanitize::line(&failure.message)),
        (ResultState::Running, None) => format!("({word}; `querybox results show last` shows what comes)"),
        (ResultState::Rejected, None) => format!("({word}; `querybox results show last` tells why)"),
        (_, None) => format!("({word})"),
    }
}

/// Says why these verbs need a server, to whoever has none.
pub(crate) fn needs_a_server(failure: Failure) -> Failure {
    let hint = "results are kept by a server: a command would forget them at its end. `querybox serve` starts one, \
                and `--server` names one of another home";
    match failure.exit {
        Exit::Usage => failure.with_hint(hint),
        _ => failure,
    }
}

async fn drop_results(app: &App, results: Vec<String>, all: bool) -> Result<Exit, Failure> {
    let kept = list::all(app).await?;
    let mut ids: Vec<_> = match all {
        true => kept.into_iter().map(|result| result.result_id).collect(),
        // All are found before the first is dropped.
        false => results.iter().map(|named| place::find(&kept, named)).collect::<Result<_, _>>()?,
    };
    ids.sort_unstable();
    ids.dedup();
    let mut dropped = 0;
    for result_id in ids {
        match client(&app.channel).drop_result(core::DropResultRequest { result_id }).await {
            Ok(_) => dropped += 1,
            Err(status) => {
                let failure = Failure::from(status);
                // Of all that were there, another has dropped one meanwhile.
                let is_gone = matches!(failure.reason, Some(Reason::ResultDropped | Reason::ResultNotFound));
                if !(all && is_gone) {
                    return Err(failure);
                }
            }
        }
    }
    app.messages.note(&format!("dropped {}", words::count(dropped, "result")));
    Ok(Exit::Done)
}

fn client(channel: &Channel) -> ResultServiceClient<Channel> {
    ResultServiceClient::new(channel.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}
