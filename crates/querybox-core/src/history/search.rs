//! Looking through texts, which must be opened for that: a batch of them is in memory at a time.

use querybox_store::{ListedRun, RunCursor};

use super::{PastText, Recorder, RunEntry};
use crate::texts::Keeper;

/// Words that a text must all have.
#[derive(Clone)]
pub(super) struct Words(Vec<String>);

/// What was found in a batch.
pub(super) struct Found {
    pub(super) runs: Vec<RunEntry>,
    pub(super) unreadable: usize,
    /// The last one that was looked at.
    pub(super) last: Option<RunCursor>,
    /// As many as were wanted were found before the end of the batch.
    pub(super) stopped_early: bool,
}

impl Words {
    /// `None`: there are none.
    pub(super) fn of(text: &str) -> Option<Self> {
        let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
        (!words.is_empty()).then_some(Self(words))
    }

    fn are_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.0.iter().all(|word| text.contains(word.as_str()))
    }
}

/// Looks through a batch until as many are found as are wanted.
pub(super) fn look_through(
    batch: Vec<ListedRun>,
    keeper: &Keeper,
    recorder: &Recorder,
    words: Option<&Words>,
    wanted: usize,
) -> Found {
    let mut found = Found { runs: Vec::new(), unreadable: 0, last: None, stopped_early: false };
    let mut batch = batch.into_iter();
    while found.runs.len() < wanted
        && let Some(ListedRun { run, text, cursor }) = batch.next()
    {
        found.last = Some(cursor);
        let entry = recorder.entry(run, text, keeper);
        let has_words = match (&entry.text, words) {
            (_, None) => true,
            (PastText::Kept(text), Some(words)) => words.are_in(text),
            (PastText::NotKept, Some(_)) => false,
            (PastText::Unreadable, Some(_)) => {
                found.unreadable += 1;
                false
            }
        };
        if has_words {
            found.runs.push(entry);
        }
    }
    found.stopped_early = batch.next().is_some();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_be_there_whatever_their_case() {
        let check = |words: &str, text: &str, expected: bool| {
            assert_eq!(Words::of(words).unwrap().are_in(text), expected, "{words:?} in {text:?}");
        };
        check("orders SELECT", "select * from Orders", true);
        check("orders update", "select * from Orders", false);
        check("ÄRGER", "-- ärger", true);
        check("  x\ty ", "yx", true);
        assert!(Words::of(" \n").is_none());
    }
}
