//! Which spares there shall be. It starts and ends no process: it says what is to be done.

use std::{collections::VecDeque, mem, time::Duration};

use querybox_jail::Limits;
use tokio::time::Instant;

use crate::{
    order::{DriverFile, StartOrder},
    spares::memory::Room,
};

/// Spares of one driver that may end by themselves, with nobody having asked for one meanwhile. Then no more are made.
const DEATHS_MAX: u32 = 3;

/// What makes one start the same as another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) driver: DriverFile,
    limits: Limits,
}

impl Key {
    /// None: the order asks for a process of its own.
    pub(super) fn of(order: &StartOrder) -> Option<Self> {
        let StartOrder { driver, grant: None, limits, deadline: None } = order else { return None };
        Some(Self { driver: driver.clone(), limits: *limits })
    }

    pub(super) fn order(&self) -> StartOrder {
        StartOrder { driver: self.driver.clone(), grant: None, limits: self.limits, deadline: None }
    }
}

/// Spares by what they are good for. There are never more than the bounds allow, and never more keys than spares.
pub(super) struct Shelf<T> {
    pub(super) per_driver: usize,
    pub(super) total: usize,
    pub(super) age_max: Duration,
    /// The one that was asked for last comes first.
    rows: Vec<Row<T>>,
}

struct Row<T> {
    key: Key,
    asked_at: Instant,
    deaths: u32,
    /// The oldest first.
    waiting: VecDeque<Waiting<T>>,
}

struct Waiting<T> {
    spare: T,
    since: Instant,
}

/// What is to be done now.
pub(super) struct Review<T> {
    /// These are no longer on the shelf.
    pub(super) dropped: Vec<T>,
    /// One of these is to be made.
    pub(super) wanted: Option<Key>,
    /// When one becomes too old.
    pub(super) next: Option<Instant>,
}

impl<T> Shelf<T> {
    pub(super) fn new(per_driver: usize, total: usize, age_max: Duration) -> Self {
        Self { per_driver, total, age_max, rows: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.iter().map(|row| row.waiting.len()).sum()
    }

    /// Somebody starts this driver. Answers with the spares of those that nobody started for longest, whose place it takes.
    pub(super) fn ask(&mut self, key: &Key, now: Instant) -> Vec<T> {
        let mut row = match self.rows.iter().position(|row| row.key == *key) {
            Some(at) => self.rows.remove(at),
            None => Row { key: key.clone(), asked_at: now, deaths: 0, waiting: VecDeque::new() },
        };
        row.asked_at = now;
        row.deaths = 0;
        self.rows.insert(0, row);
        let beyond = self.rows.split_off(self.total.min(self.rows.len()));
        beyond.into_iter().flat_map(Row::into_spares).collect()
    }

    /// Takes the oldest spare that is still good, and those that are not.
    pub(super) fn take(
        &mut self,
        key: &Key,
        now: Instant,
        is_good: impl Fn(&T) -> bool,
    ) -> (Option<T>, Vec<T>) {
        let mut dropped = Vec::new();
        let Some(row) = self.rows.iter_mut().find(|row| row.key == *key) else { return (None, dropped) };
        while let Some(Waiting { spare, since }) = row.waiting.pop_front() {
            if now < since + self.age_max && is_good(&spare) {
                return (Some(spare), dropped);
            }
            dropped.push(spare);
        }
        (None, dropped)
    }

    /// Looks at all that is there.
    pub(super) fn review(
        &mut self,
        now: Instant,
        room: Room,
        is_running: impl Fn(&T) -> bool,
        is_unchanged: impl Fn(&DriverFile) -> bool,
    ) -> Review<T> {
        let age_max = self.age_max;
        let mut review = Review { dropped: Vec::new(), wanted: None, next: None };
        for mut row in mem::take(&mut self.rows) {
            if now < row.asked_at + age_max && is_unchanged(&row.key.driver) {
                row.weed(now, room, age_max, &is_running, &mut review.dropped);
                self.rows.push(row);
            } else {
                review.dropped.extend(row.into_spares());
            }
        }
        let mut left = self.total;
        for row in &mut self.rows {
            let allotted = self.per_driver.min(left);
            left -= allotted;
            let beyond = row.waiting.split_off(allotted.min(row.waiting.len()));
            review.dropped.extend(beyond.into_iter().map(|waiting| waiting.spare));
            let is_wanted = row.waiting.len() < allotted && row.deaths < DEATHS_MAX && room == Room::Ample;
            if is_wanted && review.wanted.is_none() {
                review.wanted = Some(row.key.clone());
            }
            let ends = row.waiting.iter().map(|waiting| waiting.since).chain([row.asked_at]);
            review.next = ends.map(|since| since + age_max).chain(review.next).min();
        }
        review
    }

    /// Puts a spare on the shelf, or answers with it when there is no place for it any more.
    pub(super) fn add(&mut self, key: &Key, spare: T, now: Instant) -> Option<T> {
        let full = self.len() >= self.total;
        match self.rows.iter_mut().find(|row| row.key == *key) {
            Some(row) if !full && row.waiting.len() < self.per_driver => {
                row.waiting.push_back(Waiting { spare, since: now });
                None
            }
            Some(_) | None => Some(spare),
        }
    }

    /// None of these could be made.
    pub(super) fn failed(&mut self, key: &Key) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.key == *key) {
            row.deaths += 1;
        }
    }

    /// Takes all that is there.
    pub(super) fn clear(&mut self) -> Vec<T> {
        mem::take(&mut self.rows).into_iter().flat_map(Row::into_spares).collect()
    }
}

impl<T> Row<T> {
    fn weed(
        &mut self,
        now: Instant,
        room: Room,
        age_max: Duration,
        is_running: impl Fn(&T) -> bool,
        dropped: &mut Vec<T>,
    ) {
        for waiting in mem::take(&mut self.waiting) {
            let is_dead = !is_running(&waiting.spare);
            self.deaths += u32::from(is_dead);
            if is_dead || room == Room::Short || now >= waiting.since + age_max {
                dropped.push(waiting.spare);
            } else {
                self.waiting.push_back(waiting);
            }
        }
    }

    fn into_spares(self) -> impl Iterator<Item = T> {
        self.waiting.into_iter().map(|waiting| waiting.spare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE_MAX: Duration = Duration::from_secs(60);

    fn key(memory_bytes_max: u64) -> Key {
        let driver = DriverFile::look_at(&std::env::current_exe().unwrap()).unwrap();
        let limits = Limits { memory_bytes_max, descriptors_max: 64, file_bytes_max: None };
        Key { driver, limits }
    }

    fn shelf() -> Shelf<u32> {
        Shelf::new(2, 3, AGE_MAX)
    }

    /// Spares are numbers here, and even ones run.
    fn review(shelf: &mut Shelf<u32>, now: Instant, room: Room) -> Review<u32> {
        shelf.review(now, room, |spare| spare % 2 == 0, |_| true)
    }

    /// Makes what is wanted until nothing is.
    fn fill(shelf: &mut Shelf<u32>, now: Instant, spares: &mut impl Iterator<Item = u32>) -> Vec<u32> {
        let mut dropped = Vec::new();
        loop {
            let review = review(shelf, now, Room::Ample);
            dropped.extend(review.dropped);
            let Some(key) = review.wanted else { return dropped };
            assert_eq!(shelf.add(&key, spares.next().unwrap(), now), None);
            assert!(shelf.len() <= 3);
        }
    }

    fn take(shelf: &mut Shelf<u32>, key: &Key, now: Instant) -> Option<u32> {
        shelf.take(key, now, |spare| spare % 2 == 0).0
    }

    #[test]
    fn nothing_is_kept_that_nobody_asked_for() {
        let (mut shelf, now) = (shelf(), Instant::now());
        assert_eq!(review(&mut shelf, now, Room::Ample).wanted, None);
        assert_eq!(shelf.add(&key(1), 2, now), Some(2));
        assert_eq!(take(&mut shelf, &key(1), now), None);
    }

    #[test]
    fn who_was_started_last_has_its_spares_first_and_the_bounds_hold() {
        let (mut shelf, now, mut spares) = (shelf(), Instant::now(), (0..).step_by(2));
        shelf.ask(&key(1), now);
        assert!(fill(&mut shelf, now, &mut spares).is_empty());
        assert_eq!(shelf.len(), 2);
        shelf.ask(&key(2), now);
        assert_eq!(fill(&mut shelf, now, &mut spares), [2], "one of the first driver's makes room");
        assert_eq!(shelf.len(), 3);
        assert_eq!(shelf.add(&key(2), 100, now), Some(100), "a third of one driver has no place");
        shelf.ask(&key(3), now);
        fill(&mut shelf, now, &mut spares);
        let found = [1, 2, 3].map(|number| take(&mut shelf, &key(number), now).is_some());
        assert_eq!(found, [false, true, true]);
    }

    #[test]
    fn there_are_never_more_drivers_known_than_spares() {
        let (mut shelf, now, mut spares) = (shelf(), Instant::now(), (0..).step_by(2));
        for number in 0..1000 {
            shelf.ask(&key(number), now);
            fill(&mut shelf, now, &mut spares);
            assert!(shelf.rows.len() <= 3);
        }
    }

    #[test]
    fn the_oldest_is_taken_first_and_one_that_is_dead_or_too_old_never() {
        let (mut shelf, now) = (shelf(), Instant::now());
        shelf.ask(&key(1), now);
        shelf.add(&key(1), 2, now);
        shelf.add(&key(1), 4, now + AGE_MAX / 2);
        assert_eq!(take(&mut shelf, &key(1), now + AGE_MAX), Some(4));
        shelf.add(&key(1), 5, now);
        shelf.add(&key(1), 6, now);
        let (taken, dropped) = shelf.take(&key(1), now, |spare| spare % 2 == 0);
        assert_eq!((taken, dropped), (Some(6), vec![5]));
    }

    #[test]
    fn what_is_too_old_is_replaced_while_somebody_asks_and_given_up_when_nobody_does() {
        let (mut shelf, now, mut spares) = (shelf(), Instant::now(), (0..).step_by(2));
        shelf.ask(&key(1), now);
        fill(&mut shelf, now, &mut spares);
        assert_eq!(review(&mut shelf, now, Room::Ample).next, Some(now + AGE_MAX));
        let later = now + AGE_MAX / 2;
        shelf.ask(&key(1), later);
        assert_eq!(fill(&mut shelf, now + AGE_MAX, &mut spares), [0, 2]);
        assert_eq!(shelf.len(), 2);
        assert_eq!(fill(&mut shelf, later + AGE_MAX, &mut spares), [4, 6]);
        assert_eq!((shelf.len(), shelf.rows.len()), (0, 0));
    }

    #[test]
    fn what_dies_is_replaced_but_not_for_ever() {
        let (mut shelf, now) = (shelf(), Instant::now());
        shelf.ask(&key(1), now);
        for _ in 0..DEATHS_MAX {
            assert_eq!(review(&mut shelf, now, Room::Ample).wanted, Some(key(1)));
            shelf.add(&key(1), 1, now);
        }
        assert_eq!(review(&mut shelf, now, Room::Ample).wanted, None);
        shelf.ask(&key(1), now);
        assert_eq!(review(&mut shelf, now, Room::Ample).wanted, Some(key(1)), "somebody asks again");
        for _ in 0..DEATHS_MAX {
            shelf.failed(&key(1));
        }
        assert_eq!(review(&mut shelf, now, Room::Ample).wanted, None, "one that cannot be started");
    }

    #[test]
    fn memory_decides_what_is_made_and_what_stays() {
        let (mut shelf, now, mut spares) = (shelf(), Instant::now(), (0..).step_by(2));
        shelf.ask(&key(1), now);
        fill(&mut shelf, now, &mut spares);
        assert_eq!(take(&mut shelf, &key(1), now), Some(0));
        let enough = review(&mut shelf, now, Room::Enough);
        assert!(enough.dropped.is_empty() && enough.wanted.is_none());
        let short = review(&mut shelf, now, Room::Short);
        assert_eq!((short.dropped, short.wanted), (vec![2], None));
        fill(&mut shelf, now, &mut spares);
        assert_eq!(shelf.len(), 2, "they come back with the memory");
    }

    #[test]
    fn a_file_that_changed_has_no_spares() {
        let (mut shelf, now, mut spares) = (shelf(), Instant::now(), (0..).step_by(2));
        shelf.ask(&key(1), now);
        fill(&mut shelf, now, &mut spares);
        let review = shelf.review(now, Room::Ample, |_| true, |_| false);
        assert_eq!((review.dropped, review.wanted), (vec![0, 2], None));
    }
}
