//! Cases that made the driver do something new.

use std::collections::{BTreeMap, BTreeSet};

use crate::{case::Case, random::Random};

/// Messages of failures that are told apart at most: a server chooses words in some.
const MESSAGES_MAX: usize = 500;
/// How often something is seen before a case of it is no more bent than others.
const RARE: u64 = 50;

/// Something that the driver did in a meeting, as its server and its user see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// It sent these two messages in a row.
    Asked(u8, u8),
    /// The server sent these two, whether they were read or not.
    Sent(u8, u8),
    /// It opened a session, read-only or not.
    Opened(bool),
    /// It told parts of these two kinds in a row.
    Told(u8, u8),
    /// It told a column of this display.
    Column(i32),
    /// It told a note of this kind.
    Note(u8),
    /// It told a batch of about this size: the logarithm of its rows.
    Rows(u32),
    /// It told a statement's end in this state of the transaction, stopped by this.
    Done(i32, i32),
    /// It told a rejection with these parts.
    Rejected(u8),
    /// It told a rejection in this state of the transaction.
    RejectedIn(i32),
    /// It stopped because nobody listened.
    Stopped,
    /// It failed with these words.
    Failed(String),
}

/// The cases that are bent further.
#[derive(Debug, Default)]
pub struct Corpus {
    cases: Vec<Case>,
    /// How often each was seen, and the case that showed it first.
    seen: BTreeMap<Feature, (u64, usize)>,
    messages: usize,
}

impl Corpus {
    /// Takes a case in when its meeting showed something new.
    pub fn offer(&mut self, case: &Case, features: BTreeSet<Feature>) {
        let place = self.cases.len();
        let mut is_new = false;
        for feature in features {
            if let Some((times, _)) = self.seen.get_mut(&feature) {
                *times += 1;
                continue;
            }
            if matches!(feature, Feature::Failed(_)) {
                if self.messages == MESSAGES_MAX {
                    continue;
                }
                self.messages += 1;
            }
            self.seen.insert(feature, (1, place));
            is_new = true;
        }
        if is_new {
            self.cases.push(case.clone());
        }
    }

    /// A case to bend; every second time one that showed something rare.
    pub fn choose(&self, random: &mut Random) -> &Case {
        if random.once_in(2) {
            let rare: Vec<usize> =
                self.seen.values().filter(|(times, _)| *times < RARE).map(|(_, place)| *place).collect();
            if !rare.is_empty() {
                return &self.cases[random.of(&rare)];
            }
        }
        &self.cases[random.below(self.cases.len())]
    }

    /// How many cases there are.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.cases.len()
    }

    /// How many different things the driver did.
    #[must_use]
    pub fn features(&self) -> usize {
        self.seen.len()
    }

    /// The failures that were seen, in their words, and how often.
    pub fn failures(&self) -> impl Iterator<Item = (&str, u64)> {
        self.seen.iter().filter_map(|(feature, (times, _))| match feature {
            Feature::Failed(words) => Some((words.as_str(), *times)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::User;

    #[test]
    fn only_what_shows_something_new_is_kept() {
        let case = Case { user: User::default(), sent: Vec::new(), pieces: 0 };
        let mut corpus = Corpus::default();
        corpus.offer(&case, BTreeSet::from([Feature::Stopped]));
        corpus.offer(&case, BTreeSet::from([Feature::Stopped]));
        corpus.offer(&case, BTreeSet::from([Feature::Stopped, Feature::Failed("no".into())]));
        assert_eq!((corpus.cases(), corpus.features()), (2, 2));
        assert_eq!(corpus.failures().collect::<Vec<_>>(), [("no", 1)]);
        assert_eq!(corpus.choose(&mut Random::new(1)), &case);
    }
}
