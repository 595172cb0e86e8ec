//! What front ends are told.

use querybox_contracts::core::v1::{self as pb, watch_events_response::Event};
use querybox_core::FrontEndEvent;

use super::{session::cause, time::span};

pub(crate) fn event_message(event: FrontEndEvent) -> pb::WatchEventsResponse {
    let event = match event {
        FrontEndEvent::IdleWarning { session, remaining } => Event::IdleWarning(pb::IdleWarning {
            session_id: session.to_string(),
            remaining: Some(span(remaining)),
        }),
        FrontEndEvent::LeaseEnded { session, end } => Event::LeaseEnded(pb::LeaseEnded {
            session_id: session.to_string(),
            cause: cause(end.cause).into(),
            transaction_lost: end.transaction_lost,
        }),
        FrontEndEvent::Missed { count } => Event::Missed(pb::Missed { count }),
    };
    pb::WatchEventsResponse { event: Some(event) }
}
