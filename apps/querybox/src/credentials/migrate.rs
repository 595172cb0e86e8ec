//! `querybox credentials migrate`: each secret as it is moved.

use querybox_contracts::core::v1::{self as core, MigrationOutcome};
use serde_json::json;

use super::{Client, place, status, word};
use crate::{
    app::App, cli::credentials::MigrateArgs, connections::named, exit::Exit, failure::Failure, sanitize,
    stdout, words,
};

pub(super) async fn run(args: MigrateArgs, client: &mut Client, app: &App) -> Result<Exit, Failure> {
    let to = place(args.to);
    let request = core::MigrateCredentialsRequest {
        to: to.into(),
        connections: args.connections.iter().map(|name| named(name)).collect(),
        is_dry_run: args.dry_run,
    };
    let mut stream = client.migrate_credentials(request).await?.into_inner();
    let (mut moved, mut failed) = (0, 0);
    while let Some(answer) = stream.message().await? {
        let outcome = answer.outcome();
        let stored = answer.credential.unwrap_or_default();
        moved += u64::from(matches!(outcome, MigrationOutcome::Moved | MigrationOutcome::WouldMove));
        failed += u64::from(matches!(outcome, MigrationOutcome::Failed | MigrationOutcome::Changed));
        if args.json.json {
            let mut document = status::document(&stored);
            document["outcome"] = json!(outcome_word(outcome));
            document["message"] = json!(Some(answer.message).filter(|message| !message.is_empty()));
            stdout::print(&format!("{document}\n"))?;
            continue;
        }
        let said = match outcome {
            MigrationOutcome::Failed => format!("stays where it is: {}", sanitize::line(&answer.message)),
            outcome => outcome_word(outcome).to_owned(),
        };
        let name = sanitize::line(&stored.connection_name);
        stdout::print(&format!("{name}: {}: {said}\n", sanitize::line(&stored.field)))?;
    }
    let verb = if args.dry_run { "would be moved" } else { "moved" };
    app.messages.note(&format!("{} {verb} to the {}", words::count(moved, "secret"), word(to)));
    match failed {
        0 => Ok(Exit::Done),
        _ => Err(Failure::machinery(format!("{} not moved", words::count(failed, "secret")))
            .with_hint("nothing is lost: what is not moved is where it was; run it again to go on")),
    }
}

fn outcome_word(outcome: MigrationOutcome) -> &'static str {
    match outcome {
        MigrationOutcome::Moved => "moved",
        MigrationOutcome::AlreadyThere => "already there",
        MigrationOutcome::WouldMove => "would be moved",
        MigrationOutcome::Changed => "changed meanwhile, not moved",
        MigrationOutcome::Failed => "failed",
        MigrationOutcome::Unspecified => "(unknown)",
    }
}
