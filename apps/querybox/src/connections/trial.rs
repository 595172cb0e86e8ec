//! `querybox connections test`: the stages of a connection, as they pass.

use querybox_contracts::{
    core::v1 as core,
    plugin::v1::{self as plugin, TestStage, test_connection_response::Outcome},
};
use uuid::Uuid;

use super::{Client, named};
use crate::{
    app::App,
    cli::query::SecretArgs,
    exit::Exit,
    failure::Failure,
    reason::Reason,
    rejection::{self, Source},
    sanitize,
    screen::Paint,
    secrets, stdout, words,
};

/// Tries a saved connection and prints each stage when it has ended. Without `secret` only what is stored is tried.
pub(crate) async fn run(
    name: &str,
    secret: Option<&SecretArgs>,
    client: &mut Client,
    app: &App,
) -> Result<Exit, Failure> {
    let connection = named(name);
    let credential = match secret {
        Some(secret) => secrets::of_connection(app, &connection, secret).await?,
        None => None,
    };
    let request = core::TestConnectionRequest {
        session_id: Uuid::now_v7().to_string(),
        target: Some(core::test_connection_request::Target::Connection(connection)),
        credential,
    };
    let mut stages = client.test_connection(request).await?.into_inner();
    let screen = *app.messages.screen();
    while let Some(response) = stages.message().await? {
        let Some(stage) = response.stage else { continue };
        stdout::print(&line(&stage, screen.stdout_paint))?;
        match stage.outcome {
            Some(Outcome::Passed(_)) | None => {}
            Some(Outcome::Rejection(rejection)) => {
                let source = Source::NONE;
                app.messages.say(&rejection::describe(
                    &rejection,
                    &source,
                    screen.stderr_width,
                    screen.stderr_paint,
                ));
                return Ok(Exit::Rejected);
            }
            Some(Outcome::Failed(failed)) => {
                let exit = Reason::parse(&failed.reason).map_or(Exit::Machinery, Exit::of);
                return Err(Failure::new(exit, failed.message));
            }
        }
    }
    app.messages.note(&format!("{name} works"));
    Ok(Exit::Done)
}

fn line(stage: &plugin::TestConnectionResponse, paint: Paint) -> String {
    let mark = match stage.outcome {
        Some(Outcome::Passed(_)) => paint.good("✓"),
        Some(Outcome::Rejection(_) | Outcome::Failed(_)) | None => paint.error("✗"),
    };
    let server = match &stage.outcome {
        Some(Outcome::Passed(plugin::TestPassed { server: Some(server) })) if stage.detail.is_empty() => {
            format!("{} {}", server.product, server.version)
        }
        _ => String::new(),
    };
    let elapsed = words::time(words::span(stage.elapsed.as_ref()));
    let found = format!("{}{server}", stage.detail);
    let text = format!("{mark} {:<14} {elapsed:>9}  {}", stage_name(stage.stage()), sanitize::line(&found));
    format!("{}\n", text.trim_end())
}

fn stage_name(stage: TestStage) -> &'static str {
    match stage {
        TestStage::Unspecified => "(unknown)",
        TestStage::DriverStart => "start driver",
        TestStage::Resolve => "resolve name",
        TestStage::Dial => "reach",
        TestStage::Tls => "agree on TLS",
        TestStage::Login => "log in",
        TestStage::Version => "ask version",
    }
}
