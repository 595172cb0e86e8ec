//! What front ends are told.

use querybox_contracts::{
    core::v1::{self as pb, watch_events_response::Event},
    plugin::v1 as plugin,
};
use querybox_core::{DownloadEnded, FrontEndEvent, KeptId, Notification};

use super::{
    export::done_message,
    result::{changed_message, dropped_message, notice_message},
    session::cause,
    time::span,
    view::view_message,
};

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
        FrontEndEvent::Notified { session, notification } => {
            let Notification { channel, payload, sender_pid, lost_before } = notification;
            let notification = plugin::Notification { channel, payload, sender_pid, lost_before };
            Event::Notified(pb::Notified {
                session_id: session.to_string(),
                notification: Some(notification),
            })
        }
        FrontEndEvent::ResultChanged(progress) => Event::ResultChanged(changed_message(progress)),
        FrontEndEvent::ResultNotice { result, notice } => {
            Event::ResultNotice(notice_message(result, *notice))
        }
        FrontEndEvent::ViewChanged { result, view } => Event::ViewChanged(pb::ViewChanged {
            result_id: result.to_string(),
            view: Some(view_message(*view)),
        }),
        FrontEndEvent::DownloadEnded(DownloadEnded { result, place, file_name, end }) => {
            Event::DownloadEnded(pb::DownloadEnded {
                result_id: result.to_string(),
                statement: place.statement,
                view: place.view,
                file_name,
                done: end.map(|(exported, is_whole)| done_message(&exported, is_whole)),
            })
        }
        FrontEndEvent::ResultDropped { result, cause } => {
            Event::ResultDropped(dropped_message(result, cause))
        }
        FrontEndEvent::KeptChanged { kept, is_removed } => {
            let (kind, id) = match kept {
                KeptId::Connection(id) => (pb::KeptKind::Connection, id.to_string()),
                KeptId::Draft(id) => (pb::KeptKind::Draft, id.to_string()),
            };
            Event::KeptChanged(pb::KeptChanged { kind: kind.into(), id, removed: is_removed })
        }
        FrontEndEvent::Missed { count } => Event::Missed(pb::Missed { count }),
    };
    pb::WatchEventsResponse { event: Some(event) }
}
