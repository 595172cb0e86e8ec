//! One line of the audit file.

use jiff::Timestamp;
use querybox_core::{EndCause, Happening, Receipt, SessionId};
use serde::Serialize;

use crate::serve::metrics::outcome_word;

/// Something that happened. What does not belong to it is left out.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    verb: &'a str,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statements_done: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statements_rejected: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_lost: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u128>,
}

impl<'a> Line<'a> {
    /// `None`: it happened to no session.
    pub(super) fn of(happening: &Happening<'a>) -> Option<Line<'a>> {
        Some(match *happening {
            Happening::Began(request) => Line {
                connection: request.connection.map(|id| id.to_string()),
                driver: Some(request.driver_type.as_str()),
                ..Line::about(request.session, request.verb.word(), "begun")
            },
            Happening::Ended(request, end) => Line {
                rows: Some(end.rows),
                bytes: Some(end.bytes),
                statements_done: Some(end.statements_done),
                statements_rejected: Some(end.statements_rejected),
                ms: Some(end.duration.as_millis()),
                ..Line::about(request.session, request.verb.word(), outcome_word(end.outcome))
            },
            Happening::SessionEnded { session, end } => Line {
                transaction_lost: Some(end.transaction_lost),
                ..Line::about(session, "lease", cause_word(end.cause))
            },
            Happening::Cancelled { session, cancelled } => Line {
                ms: Some(cancelled.elapsed.as_millis()),
                ..Line::about(session, "cancel", receipt_word(cancelled.receipt))
            },
            Happening::Extended { session, left } => {
                Line { left_ms: left.map(|left| left.as_millis()), ..Line::about(session, "extend", "done") }
            }
            Happening::DriverStarted { .. } | Happening::VaultUsed(..) | Happening::KeyringUsed(..) => {
                return None;
            }
        })
    }

    /// The server itself.
    pub(super) fn of_server(outcome: &'a str) -> Line<'a> {
        Line::new("serve", outcome)
    }

    /// Lines that could not be written.
    pub(super) fn of_loss(lines: u64) -> Line<'a> {
        Line { lines: Some(lines), ..Line::new("audit", "lost") }
    }

    fn about(session: SessionId, verb: &'a str, outcome: &'a str) -> Line<'a> {
        Line { session: Some(session.to_string()), ..Line::new(verb, outcome) }
    }

    fn new(verb: &'a str, outcome: &'a str) -> Line<'a> {
        Line {
            time: Timestamp::now(),
            session: None,
            verb,
            outcome,
            connection: None,
            driver: None,
            rows: None,
            bytes: None,
            statements_done: None,
            statements_rejected: None,
            transaction_lost: None,
            left_ms: None,
            lines: None,
            ms: None,
        }
    }

    /// As it is written, with its line feed.
    pub(super) fn text(&self) -> String {
        let mut text = serde_json::to_string(self).expect("words and numbers make JSON");
        text.push('\n');
        text
    }
}

fn receipt_word(receipt: Receipt) -> &'static str {
    match receipt {
        Receipt::Confirmed => "confirmed",
        Receipt::AlreadyDone => "already_done",
        Receipt::Killed => "killed",
    }
}

fn cause_word(cause: EndCause) -> &'static str {
    match cause {
        EndCause::Done => "done",
        EndCause::Rejected => "rejected",
        EndCause::Cancelled => "canceled",
        EndCause::Deadline(_) => "deadline",
        EndCause::Memory { .. } => "memory",
        EndCause::Idle(_) => "idle",
        EndCause::StreamIdle(_) => "stream_idle",
        EndCause::Unstoppable => "unstoppable",
        EndCause::DriverDied => "driver_died",
        EndCause::DriverFailed => "driver_failed",
        EndCause::ConnectionLost => "connection_lost",
        EndCause::Closed => "closed",
        EndCause::ShuttingDown => "shutting_down",
    }
}
