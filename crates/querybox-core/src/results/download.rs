//! Tickets for downloads: an export that somebody asked for with a token, for a browser to fetch without one.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use querybox_results::{ExportFormat, Exported};
use querybox_store::Owner;
use querybox_vault::{Token, TokenHash};

use super::{
    error::ResultError,
    export::{ExportPart, ExportParts},
    reading::Place,
};
use crate::{
    Core,
    events::{FrontEndEvent, Watchers},
    session::{FrontEndId, SessionId},
};

/// An export that is to be a file somewhere else.
#[derive(Debug, Clone)]
pub struct DownloadAsk {
    pub id: SessionId,
    pub place: Place,
    pub format: ExportFormat,
    /// What the file is to be called.
    pub file_name: String,
}

/// What a ticket was traded for.
pub struct Download {
    pub file_name: String,
    pub media_type: &'static str,
    pub parts: ExportParts,
}

/// Tickets that were made and not used, oldest first.
#[derive(Debug, Default)]
pub(super) struct Tickets(Mutex<VecDeque<Ticket>>);

/// The ticket itself is with whoever asked for it alone.
#[derive(Debug)]
struct Ticket {
    hash: TokenHash,
    made: Instant,
    owner: Owner,
    ask: DownloadAsk,
}

impl Core {
    /// Time for which a ticket is good: a page uses it at once.
    pub const TICKET_LIFE: Duration = Duration::from_secs(60);

    /// Makes a ticket for an export that is possible now, and tells whether it will have all rows that the database would have
    /// returned: if a statement that runs breaks off, so does the download.
    ///
    /// # Errors
    ///
    /// See [`ResultError`].
    pub fn make_download(&self, owner: &Owner, ask: DownloadAsk) -> Result<(Token, bool), ResultError> {
        let held = self.shelf.find(owner, ask.id)?;
        let is_growing = held.rows(ask.place)?.is_growing;
        let is_whole = is_growing || held.is_whole(ask.place);
        Ok((self.shelf.tickets.make(owner, ask, Instant::now()), is_whole))
    }

    /// Begins the export that a ticket is for. `None`: it is no ticket, or was used, or is too old. Dropping the parts stops it.
    ///
    /// Whoever holds the result is told how it ended, and what of it is not what the database has: a browser cannot tell.
    ///
    /// # Errors
    ///
    /// See [`ResultError`]: the result may have gone since. The ticket is used then; it is not when only as many exports run as
    /// may.
    pub fn download(&self, ticket: &str) -> Result<Option<Download>, ResultError> {
        let room = self.shelf.export_room()?;
        let Some((owner, ask)) = self.shelf.tickets.take(ticket, Instant::now()) else { return Ok(None) };
        let DownloadAsk { id, place, format, file_name } = ask;
        let media_type = format.media_type();
        let held = self.shelf.find(&owner, id)?;
        let found = held.rows(place)?;
        let told = Told {
            watchers: Arc::clone(&self.watchers),
            front_ends: held.front_ends(),
            download: DownloadEnded { result: id, place, file_name: file_name.clone(), end: None },
        };
        let parts = told.of(self.export_of(held, found, place, format, room));
        Ok(Some(Download { file_name, media_type, parts }))
    }
}

/// How a download ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadEnded {
    pub result: SessionId,
    pub place: Place,
    pub file_name: String,
    /// What it has, and whether these are all rows. `None`: the file is not whole, and of no use.
    pub end: Option<(Exported, bool)>,
}

/// Tells the front ends of a result how a download ends, when it is dropped at the latest.
struct Told {
    watchers: Arc<Watchers>,
    front_ends: Vec<FrontEndId>,
    download: DownloadEnded,
}

impl Told {
    fn of(self, parts: ExportParts) -> ExportParts {
        let mut told = self;
        let parts = parts.inspect(move |part| {
            // All of it is in the stream, and is dropped with it.
            let told = &mut told;
            if let Ok(ExportPart::Done { exported, is_whole }) = part {
                told.download.end = Some((*exported, *is_whole));
            }
        });
        parts.boxed()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        for front_end in &self.front_ends {
            self.watchers.tell(*front_end, FrontEndEvent::DownloadEnded(self.download.clone()));
        }
    }
}

impl Tickets {
    /// More than this nobody has in hand; the oldest go.
    const MAX: usize = 256;

    fn make(&self, owner: &Owner, ask: DownloadAsk, now: Instant) -> Token {
        let token = Token::make();
        let mut tickets = self.lock();
        forget_old(&mut tickets, now);
        if tickets.len() >= Self::MAX {
            tickets.pop_front();
        }
        tickets.push_back(Ticket { hash: TokenHash::of(&token), made: now, owner: owner.clone(), ask });
        token
    }

    fn take(&self, shown: &str, now: Instant) -> Option<(Owner, DownloadAsk)> {
        let mut tickets = self.lock();
        forget_old(&mut tickets, now);
        let found = tickets.iter().position(|ticket| ticket.hash.is_of(shown.as_bytes()))?;
        tickets.remove(found).map(|ticket| (ticket.owner, ticket.ask))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Ticket>> {
        // Every change is whole before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_old(tickets: &mut VecDeque<Ticket>, now: Instant) {
    tickets.retain(|ticket| now.saturating_duration_since(ticket.made) < Core::TICKET_LIFE);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_user;

    fn ask(file_name: &str) -> DownloadAsk {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let place = Place { statement: 0, view: 0 };
        DownloadAsk { id, place, format: ExportFormat::Json, file_name: file_name.to_owned() }
    }

    fn name(taken: Option<(Owner, DownloadAsk)>) -> Option<String> {
        taken.map(|(_, ask)| ask.file_name)
    }

    #[test]
    fn a_ticket_is_good_once_and_for_what_it_was_made_for() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let first = tickets.make(&local_user(), ask("first"), now);
        let second = tickets.make(&local_user(), ask("second"), now);
        assert_eq!(name(tickets.take("", now)), None);
        assert_eq!(name(tickets.take(&first.expose()[1..], now)), None);
        assert_eq!(name(tickets.take(second.expose(), now)).as_deref(), Some("second"));
        assert_eq!(name(tickets.take(second.expose(), now)), None);
        assert_eq!(name(tickets.take(first.expose(), now)).as_deref(), Some("first"));
    }

    #[test]
    fn a_ticket_is_good_for_its_time() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let early = tickets.make(&local_user(), ask("early"), now);
        let late = tickets.make(&local_user(), ask("late"), now);
        let last = now + Core::TICKET_LIFE - Duration::from_millis(1);
        assert_eq!(name(tickets.take(early.expose(), last)).as_deref(), Some("early"));
        assert_eq!(name(tickets.take(late.expose(), now + Core::TICKET_LIFE)), None);
    }

    #[test]
    fn the_last_ones_are_kept_and_none_of_them_is_told() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let first = tickets.make(&local_user(), ask("first"), now);
        let later: Vec<_> =
            (0..Tickets::MAX).map(|_| tickets.make(&local_user(), ask("later"), now)).collect();
        let told = format!("{tickets:?}");
        assert!(later.iter().all(|ticket| !told.contains(ticket.expose())));
        assert_eq!(name(tickets.take(first.expose(), now)), None);
        assert!(later.iter().all(|ticket| tickets.take(ticket.expose(), now).is_some()));
    }
}
