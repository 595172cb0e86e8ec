//! Texts of runs where nothing can be sealed: in memory, until Core ends. A few of the last.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use querybox_store::{ConnectionId, Owner, Run, RunChoice};
use uuid::Uuid;

use super::is_chosen;

/// A day's work of a person.
const TEXTS_MAX: usize = 1000;
/// Of all of them.
const BYTES_MAX: usize = 4 << 20;

/// Texts of the runs that began last, of all owners.
#[derive(Default)]
pub(super) struct MemoryTexts(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The oldest first.
    texts: VecDeque<Text>,
    bytes: usize,
}

struct Text {
    id: Uuid,
    owner: Owner,
    connection: Option<ConnectionId>,
    started: Timestamp,
    text: String,
}

impl MemoryTexts {
    pub(super) fn put(&self, run: &Run, text: String) {
        let mut kept = self.kept();
        kept.bytes += text.len();
        let Run { id, owner, connection, started, .. } = run;
        let (owner, connection) = (owner.clone(), *connection);
        kept.texts.push_back(Text { id: *id, owner, connection, started: *started, text });
        while kept.texts.len() > TEXTS_MAX || kept.bytes > BYTES_MAX {
            let Some(oldest) = kept.texts.pop_front() else { break };
            kept.bytes -= oldest.text.len();
        }
    }

    pub(super) fn get(&self, id: Uuid) -> Option<String> {
        self.kept().texts.iter().find(|text| text.id == id).map(|text| text.text.clone())
    }

    pub(super) fn forget(&self, owner: &Owner, choice: &RunChoice) {
        let mut kept = self.kept();
        kept.texts.retain(|text| {
            let Text { id, connection, started, .. } = *text;
            text.owner != *owner || !is_chosen(choice, id, connection, started)
        });
        kept.bytes = kept.texts.iter().map(|text| text.text.len()).sum();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Every change is whole before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use querybox_store::{Outcome, RunEnd};

    use super::*;

    fn run(number: u32) -> Run {
        Run {
            id: Uuid::from_u128(number.into()),
            owner: "me".parse().unwrap(),
            session: Uuid::nil(),
            connection: None,
            connection_name: None,
            driver_type: "test".parse().unwrap(),
            started: Timestamp::from_second(number.into()).unwrap(),
            text_bytes: 0,
            end: RunEnd {
                outcome: Outcome::Done,
                error_code: String::new(),
                duration: Duration::ZERO,
                rows: 0,
                bytes: 0,
            },
        }
    }

    #[test]
    fn few_are_kept_and_they_take_little() {
        let texts = MemoryTexts::default();
        for number in 0..1100 {
            texts.put(&run(number), number.to_string());
        }
        assert_eq!(texts.get(run(99).id), None);
        assert_eq!(texts.get(run(100).id).as_deref(), Some("100"));
        texts.put(&run(2000), "x".repeat(BYTES_MAX - 4));
        assert_eq!(texts.get(run(1098).id), None);
        assert_eq!(texts.get(run(1099).id).as_deref(), Some("1099"));
        texts.put(&run(2001), "y".to_owned());
        assert_eq!(texts.get(run(1099).id), None);
        assert!(texts.get(run(2000).id).is_some());
    }

    #[test]
    fn what_is_forgotten_in_the_store_is_forgotten_here() {
        let texts = MemoryTexts::default();
        for number in 0..10 {
            texts.put(&run(number), "text".to_owned());
        }
        let me: Owner = "me".parse().unwrap();
        texts.forget(&"you".parse().unwrap(), &RunChoice::All);
        texts.forget(&me, &RunChoice::Ids(vec![run(5).id]));
        texts.forget(&me, &RunChoice::Before(run(2).started));
        let there = |number| texts.get(run(number).id).is_some();
        assert_eq!([0, 1, 2, 5, 6].map(there), [false, false, true, false, true]);
        texts.forget(&me, &RunChoice::All);
        assert!(!there(6) && texts.kept().bytes == 0);
    }
}
