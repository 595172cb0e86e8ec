//! What Core tells of the session while the shell waits for its user.

use std::time::Duration;

use futures::StreamExt;
use querybox_contracts::{
    core::v1::{
        self as core, EndCause, event_service_client::EventServiceClient, watch_events_response::Event,
    },
    plugin::v1 as plugin,
};
use tokio::{sync::mpsc, task::JoinSet};

use super::lease::LeaseEnd;
use crate::{composition::Channel, failure::Failure, sanitize};

/// Events that wait here while a statement runs or the line editor stops; with payloads of 8 kB each, as large as
/// PostgreSQL has them, this is 8 MB. What comes beyond waits in Core, which keeps 128 of them for each reader, drops the
/// oldest, and tells how many.
const WAITING_MAX: usize = 1024;

/// What Core tells.
pub(crate) struct Events {
    waiting: mpsc::Receiver<Told>,
    /// Takes events from Core also while nobody asks for them, because those that wait there are soon too many. It ends
    /// with this.
    _reading: JoinSet<()>,
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
    /// So many came faster than they were read, and are lost. One that is lost may itself have told of lost ones.
    Missed {
        count: u64,
    },
}

impl Events {
    /// Hears of all sessions of a front end from now on.
    pub(crate) async fn watch(channel: &Channel, front_end_id: String) -> Result<Events, Failure> {
        let request = core::WatchEventsRequest { front_end_id };
        let mut stream = EventServiceClient::new(channel.clone()).watch_events(request).await?.into_inner();
        let (tell, waiting) = mpsc::channel(WAITING_MAX);
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            // When nothing more comes, the next statement tells what happened.
            while let Some(Ok(response)) = stream.next().await {
                if let Some(told) = response.event.and_then(told)
                    && tell.send(told).await.is_err()
                {
                    return;
                }
            }
        });
        Ok(Events { waiting, _reading: reading })
    }

    /// Waits for the next. Nothing is lost when this is dropped.
    pub(crate) async fn next(&mut self) -> Told {
        match self.waiting.recv().await {
            Some(told) => told,
            None => std::future::pending().await,
        }
    }

    /// What was told meanwhile, if anything was.
    pub(crate) fn meanwhile(&mut self) -> Option<Told> {
        self.waiting.try_recv().ok()
    }
}

/// `None`: there is nothing in it. A shell that missed its session's end hears of it at its next statement.
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
        Event::Missed(core::Missed { count }) => Some(Told::Missed { count }),
        // What a shell runs is kept by nobody.
        Event::ResultChanged(_)
        | Event::ResultNotice(_)
        | Event::ViewChanged(_)
        | Event::DownloadEnded(_)
        | Event::KeptChanged(_)
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
        assert_eq!(told(Event::Missed(core::Missed { count: 1 })), Some(Told::Missed { count: 1 }));
    }
}
