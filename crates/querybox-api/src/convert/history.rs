//! The history.

use jiff::Timestamp;
use querybox_contracts::core::v1::{self as pb, delete_runs_request::Choice};
use querybox_core::{
    ConnectionId, HistoryLevel, Outcome, Owner, PastRun, PastText, RUN_TEXT_START_CHARS, RunChoice,
    RunCursorError, RunEnd, RunEntry, RunListing, RunsAsk,
};
use uuid::Uuid;

use super::{
    InvalidField,
    draft::keeping_message,
    time::{instant, span, timestamp},
};

const PAGE_USUAL: u32 = 100;
const PAGE_MAX: u32 = 1_000;
const WORDS_CHARS_MAX: usize = 1_000;
/// There are half as many.
const OUTCOMES_MAX: usize = 16;
const IDS_MAX: usize = 1_000;

pub(crate) fn run_id(text: &str, field: &'static str) -> Result<Uuid, InvalidField> {
    // The parser takes other spellings too, which would be second names.
    match Uuid::parse_str(text) {
        Ok(uuid) if text.len() == 36 => Ok(uuid),
        Ok(_) | Err(_) => Err(InvalidField::new(field, "is not a UUID in canonical text form")),
    }
}

pub(crate) fn runs_ask(request: pb::ListRunsRequest, owner: Owner) -> Result<RunsAsk, InvalidField> {
    if request.outcomes.len() > OUTCOMES_MAX {
        return Err(InvalidField::new("outcomes", format!("has more than {OUTCOMES_MAX}")));
    }
    let mut outcomes = Vec::new();
    for outcome in &request.outcomes {
        let outcome = outcome_of(*outcome)?;
        if !outcomes.contains(&outcome) {
            outcomes.push(outcome);
        }
    }
    let pb::ListRunsRequest { connection_id, since, before, words, page_size, page_token, .. } = request;
    if words.chars().count() > WORDS_CHARS_MAX {
        return Err(InvalidField::new("words", format!("is longer than {WORDS_CHARS_MAX} characters")));
    }
    let count = match page_size {
        0 => PAGE_USUAL,
        asked => asked.min(PAGE_MAX),
    };
    Ok(RunsAsk {
        owner,
        connection: (!connection_id.is_empty()).then(|| connection(&connection_id)).transpose()?,
        outcomes,
        since: moment(since, "since")?,
        before: moment(before, "before")?,
        words,
        count: count as usize,
        after: match page_token.as_str() {
            "" => None,
            token => Some(
                token
                    .parse()
                    .map_err(|error: RunCursorError| InvalidField::new("page_token", error.to_string()))?,
            ),
        },
    })
}

pub(crate) fn run_choice(request: pb::DeleteRunsRequest) -> Result<RunChoice, InvalidField> {
    match request.choice {
        None => Err(InvalidField::missing("choice")),
        Some(Choice::All(pb::AllRuns {})) => Ok(RunChoice::All),
        Some(Choice::ConnectionId(id)) => Ok(RunChoice::Of(connection(&id)?)),
        Some(Choice::Before(time)) => {
            let time = moment(Some(time), "before")?;
            time.map(RunChoice::Before).ok_or(InvalidField::missing("before"))
        }
        Some(Choice::Ids(pb::RunIds { run_ids })) if run_ids.len() > IDS_MAX => {
            Err(InvalidField::new("ids.run_ids", format!("has more than {IDS_MAX} ids")))
        }
        Some(Choice::Ids(pb::RunIds { run_ids })) => {
            let ids = run_ids.iter().map(|id| run_id(id, "ids.run_ids"));
            Ok(RunChoice::Ids(ids.collect::<Result<_, _>>()?))
        }
    }
}

fn connection(text: &str) -> Result<ConnectionId, InvalidField> {
    text.parse().map_err(|_| InvalidField::new("connection_id", "is not a UUID in canonical text form"))
}

fn moment(
    time: Option<prost_types::Timestamp>,
    field: &'static str,
) -> Result<Option<Timestamp>, InvalidField> {
    time.map(|time| instant(time).ok_or(InvalidField::new(field, "is not a time"))).transpose()
}

fn outcome_of(outcome: i32) -> Result<Outcome, InvalidField> {
    match pb::RunOutcome::try_from(outcome) {
        Ok(pb::RunOutcome::Done) => Ok(Outcome::Done),
        Ok(pb::RunOutcome::Rejected) => Ok(Outcome::Rejected),
        Ok(pb::RunOutcome::Failed) => Ok(Outcome::Failed),
        Ok(pb::RunOutcome::Limited) => Ok(Outcome::Limited),
        Ok(pb::RunOutcome::Cancelled) => Ok(Outcome::Canceled),
        Ok(pb::RunOutcome::Running | pb::RunOutcome::Unfinished) => Ok(Outcome::Unfinished),
        Ok(pb::RunOutcome::Unspecified) | Err(_) => {
            Err(InvalidField::new("outcomes", "has one that this version does not know"))
        }
    }
}

pub(crate) fn runs_message(listing: RunListing) -> pb::ListRunsResponse {
    let RunListing { runs, next, unreadable, keeping, level } = listing;
    pb::ListRunsResponse {
        runs: runs.into_iter().map(|entry| run_message(entry).0).collect(),
        next_page_token: next.map(|next| next.to_string()).unwrap_or_default(),
        unreadable_count: u32::try_from(unreadable).unwrap_or(u32::MAX),
        keeping: keeping_message(keeping).into(),
        level: history_level_message(level).into(),
    }
}

pub(crate) fn past_run_message(entry: RunEntry) -> pb::GetRunResponse {
    let (run, text) = run_message(entry);
    pb::GetRunResponse { run: Some(run), text }
}

/// A run, and all that is kept of its text.
fn run_message(entry: RunEntry) -> (pb::Run, String) {
    let RunEntry { run, is_running, text, kept_bytes } = entry;
    let PastRun { id, session, connection, connection_name, driver_type, started, text_bytes, end, .. } = run;
    let RunEnd { outcome, error_code, duration, rows, bytes } = end;
    let (text_state, text) = match text {
        PastText::Kept(text) if kept_bytes < text_bytes => (pb::RunTextState::Cut, text),
        PastText::Kept(text) => (pb::RunTextState::Kept, text),
        PastText::NotKept => (pb::RunTextState::NotKept, String::new()),
        PastText::Unreadable => (pb::RunTextState::Unreadable, String::new()),
    };
    let outcome = match outcome {
        Outcome::Done => pb::RunOutcome::Done,
        Outcome::Rejected => pb::RunOutcome::Rejected,
        Outcome::Failed => pb::RunOutcome::Failed,
        Outcome::Limited => pb::RunOutcome::Limited,
        Outcome::Canceled => pb::RunOutcome::Cancelled,
        Outcome::Unfinished if is_running => pb::RunOutcome::Running,
        Outcome::Unfinished => pb::RunOutcome::Unfinished,
    };
    let message = pb::Run {
        run_id: id.to_string(),
        session_id: session.to_string(),
        connection_id: connection.map(|id| id.to_string()).unwrap_or_default(),
        connection_name: connection_name.map(|name| name.to_string()).unwrap_or_default(),
        driver_type: driver_type.to_string(),
        started: Some(timestamp(started)),
        duration: Some(span(duration)),
        row_count: rows,
        byte_count: bytes,
        outcome: outcome.into(),
        error_code,
        text_state: text_state.into(),
        text_start: text.chars().take(RUN_TEXT_START_CHARS).collect(),
        text_bytes,
    };
    (message, text)
}

pub(crate) fn history_level(level: pb::HistoryLevel) -> HistoryLevel {
    match level {
        pb::HistoryLevel::Unspecified | pb::HistoryLevel::Texts => HistoryLevel::Texts,
        pb::HistoryLevel::Facts => HistoryLevel::Facts,
        pb::HistoryLevel::Off => HistoryLevel::Off,
    }
}

pub(crate) fn history_level_message(level: HistoryLevel) -> pb::HistoryLevel {
    match level {
        HistoryLevel::Texts => pb::HistoryLevel::Texts,
        HistoryLevel::Facts => pb::HistoryLevel::Facts,
        HistoryLevel::Off => pb::HistoryLevel::Off,
    }
}
