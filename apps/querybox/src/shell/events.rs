//! What Core tells of the session while the shell waits for its user.

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use querybox_contracts::{
    core::v1::{
        self as core, EndCause, event_service_client::EventServiceClient, watch_events_response::Event,
    },
    plugin::v1 as plugin,
};
use tonic::Streaming;

use super::lease::LeaseEnd;
use crate::{composition::Channel, failure::Failure, sanitize};

/// What Core tells.
pub(crate) struct Events {
    /// `None`: nothing more comes, and the next statement tells what happened.
    stream: Option<Streaming<core::WatchEventsResponse>>,
}

/// Something that happened to a session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It ends when it is not used for this long.
    EndsSoon {
        session: String,
        remaining: Duration,
    },
    Ended {
        session: String,
        end: LeaseEnd,
    },
    /// It was notified of what it listens to.
    Notified {
        session: String,
        /// In words.
        text: String,
    },
}

impl Events {
    /// Hears of all sessions of a front end from now on.
    pub(crate) async fn watch(channel: &Channel, front_end_id: String) -> Result<Events, Failure> {
        let request = core::WatchEventsRequest { front_end_id };
        let stream = EventServiceClient::new(channel.clone()).watch_events(request).await?.into_inner();
        Ok(Events { stream: Some(stream) })
    }

    /// Waits for the next. Nothing is lost when this is dropped.
    pub(crate) async fn next(&mut self) -> Told {
        loop {
            let Some(stream) = &mut self.stream else { return std::future::pending().await };
            match stream.next().await {
                Some(Ok(response)) => {
                    if let Some(told) = response.event.and_then(told) {
                        return told;
                    }
                }
                Some(Err(_)) | None => self.stream = None,
            }
        }
    }

    /// What was told meanwhile, if anything was.
    pub(crate) fn meanwhile(&mut self) -> Option<Told> {
        self.next().now_or_never()
    }
}

/// `None`: it does not matter to a shell. One that missed something hears of the end at its next statement.
fn told(event: Event) -> Option<Told> {
    match event {
        Event::IdleWarning(core::IdleWarning { session_id: session, remaining }) => {
            let remaining = remaining.and_then(|span| span.try_into().ok()).unwrap_or_default();
            Some(Told::EndsSoon { session, remaining })
        }
        Event::LeaseEnded(ended) => {
            let cause = ended.cause();
            let end = LeaseEnd {
                cause: match cause {
                    EndCause::Unspecified => String::new(),
                    known => known.as_str_name().trim_start_matches("END_CAUSE_").to_owned(),
                },
                transaction_lost: ended.transaction_lost,
            };
            Some(Told::Ended { session: ended.session_id, end })
        }
        Event::Notified(core::Notified { session_id: session, notification }) => {
            Some(Told::Notified { session, text: notification_text(&notification?) })
        }
        // What a shell runs is kept by nobody.
        Event::Missed(_)
        | Event::ResultChanged(_)
        | Event::ResultNotice(_)
        | Event::ViewChanged(_)
        | Event::ResultDropped(_) => None,
    }
}

/// A notification in words, which are safe for a terminal.
fn notification_text(notification: &plugin::Notification) -> String {
    let plugin::Notification { channel, payload, sender_pid, lost_before } = notification;
    let payload = match payload.as_str() {
        "" => String::new(),
        payload => format!(" with payload \"{payload}\""),
    };
    let lost = match lost_before {
        0 => String::new(),
        count => format!("; {count} before it were lost"),
    };
    sanitize::line(&format!("notification \"{channel}\"{payload} from server process {sender_pid}{lost}"))
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_told_reads_as_one_that_a_failure_tells() {
        let ended = core::LeaseEnded {
            session_id: "s".to_owned(),
            cause: EndCause::ConnectionLost.into(),
            transaction_lost: true,
        };
        let end = LeaseEnd { cause: "CONNECTION_LOST".to_owned(), transaction_lost: true };
        assert_eq!(told(Event::LeaseEnded(ended)), Some(Told::Ended { session: "s".to_owned(), end }));
        assert_eq!(told(Event::Missed(core::Missed { count: 1 })), None);
    }
}
