//! `querybox keys rotate`: a bar while secrets are sealed anew, then what came of it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use querybox_contracts::core::v1::{self as core, RotationPhase, rotate_keys_response::Part};

use super::{Client, texts::FORGET_HINT};
use crate::{app::App, exit::Exit, failure::Failure, sanitize, words};

pub(super) async fn run(client: &mut Client, app: &App) -> Result<Exit, Failure> {
    let mut stream = client.rotate_keys(core::RotateKeysRequest {}).await?.into_inner();
    let bar = match app.messages.screen().stderr_is_terminal {
        true => ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()).with_style(
            ProgressStyle::with_template("{msg} {bar:30.cyan} {pos}/{len}")
                .expect("the template is well-formed"),
        ),
        false => ProgressBar::hidden(),
    };
    let mut ended = None;
    while let Some(answer) = stream.message().await? {
        match answer.part {
            Some(Part::Progress(progress)) => {
                bar.set_message(match progress.phase() {
                    RotationPhase::Verify => "checking",
                    RotationPhase::Seal | RotationPhase::Unspecified => "sealing",
                });
                bar.set_length(progress.total);
                bar.set_position(progress.done);
            }
            Some(Part::Ended(report)) => ended = Some(report),
            None => {}
        }
    }
    bar.finish_and_clear();
    let core::RotationEnded { key_id, sealed, verified, failures, text_key_failure } =
        ended.ok_or_else(|| Failure::machinery("the rotation has no end"))?;
    let sealed = match sealed {
        0 => "nothing had to be sealed anew".to_owned(),
        many => format!("sealed {} anew", words::count(many, "secret")),
    };
    app.messages.note(&format!("{sealed}; {} open under key {key_id}", words::count(verified, "secret")));
    for failure in &failures {
        let stored = failure.credential.clone().unwrap_or_default();
        app.messages.warn(&format!(
            "the {} of {} does not open: {}",
            sanitize::line(&stored.field),
            sanitize::line(&stored.connection_name),
            sanitize::line(&failure.message)
        ));
    }
    if !text_key_failure.is_empty() {
        app.messages.warn(&format!(
            "the key of drafts and of the history's statements does not open: {}",
            sanitize::line(&text_key_failure)
        ));
        if failures.is_empty() {
            return Err(Failure::machinery(
                "the key of texts was not sealed anew, and no key can be retired",
            )
            .with_hint(FORGET_HINT));
        }
    }
    if failures.is_empty() {
        app.messages.note("`querybox keys status` shows which keys can be retired");
        return Ok(Exit::Done);
    }
    let count = words::count(failures.len() as u64, "secret");
    Err(Failure::machinery(format!("{count} not sealed anew, and no key can be retired"))
        .with_hint("`querybox credentials set CONNECTION` stores a password anew"))
}
