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
