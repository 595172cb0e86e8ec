//! Tickets for downloads: an export that somebody asked for with a token, for a browser to fetch without one.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use querybox_results::ExportFormat;
use querybox_store::Owner;
use querybox_vault::{Token, TokenHash};

use super::{error::ResultError, export::ExportParts, reading::Place};
use crate::{Core, session::SessionId};

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

    /// Makes a ticket for an export that is possible now.
    ///
    /// # Errors
    ///
    /// See [`ResultError`].
    pub fn make_download(&self, owner: &Owner, ask: DownloadAsk) -> Result<Token, ResultError> {
        self.shelf.find(owner, ask.id)?.rows(ask.place)?;
        Ok(self.shelf.tickets.make(owner, ask, Instant::now()))
    }

    /// Begins the export that a ticket is for. `None`: it is no ticket, or was used, or is too old. Dropping the parts stops it.
    ///
    /// # Errors
    ///
    /// See [`ResultError`]: the result may have gone since. The ticket is used all the same.
    pub fn download(&self, ticket: &str) -> Result<Option<Download>, ResultError> {
        let Some((owner, ask)) = self.shelf.tickets.take(ticket, Instant::now()) else { return Ok(None) };
        let DownloadAsk { id, place, format, file_name } = ask;
        let media_type = format.media_type();
        let parts = self.export(&owner, id, place, format)?;
        Ok(Some(Download { file_name, media_type, parts }))
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
