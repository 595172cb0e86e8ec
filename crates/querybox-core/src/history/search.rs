//! Looking through texts, which must be opened for that: a batch of them is in memory at a time.

use querybox_store::{ListedRun, RunCursor};

use super::{PastText, RUN_TEXT_START_CHARS, RunEntry, recorder::Reading};

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

/// Looks through a batch until as many are found as are wanted. Of their texts no more stays in memory than a list tells.
pub(super) fn look_through(
    batch: Vec<ListedRun>,
    reading: &Reading<'_>,
    words: Option<&Words>,
    wanted: usize,
) -> Found {
    let mut found = Found { runs: Vec::new(), unreadable: 0, last: None, stopped_early: false };
    let mut batch = batch.into_iter();
    while found.runs.len() < wanted
        && let Some(ListedRun { run, text, cursor }) = batch.next()
    {
        found.last = Some(cursor);
        let mut entry = reading.entry(run, text);
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
            if let PastText::Kept(text) = &mut entry.text {
                *text = text.chars().take(RUN_TEXT_START_CHARS).collect();
            }
            found.runs.push(entry);
        }
    }
    found.stopped_early = batch.next().is_some();
    found
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Arc, time::Duration};

    use futures::FutureExt as _;
    use jiff::Timestamp;
    use querybox_store::{Outcome, Run, RunEnd, Store, Written};
    use uuid::Uuid;

    use super::*;
    use crate::{
        HistorySettings, KeySource, TextStorage,
        clock::Clock,
        credentials::Vault,
        happening::Observers,
        history::{READERS_MAX, RUN_TEXT_BYTES_MAX, Recorder},
        texts::{Keeper, Purpose, Texts},
    };

    /// A recorder, and what reads texts that are in the clear.
    async fn reader(folder: &tempfile::TempDir) -> (Recorder, Keeper) {
        let clock = Clock::new(Timestamp::now);
        let vault = Arc::new(Vault::new(KeySource::none(), Observers::default()));
        let texts = Arc::new(Texts::new(TextStorage::Plain, vault, clock.clone()));
        let store = Store::open(&folder.path().join("store.db")).await.unwrap();
        let keeper = texts.keeper(&store, Purpose::Read).await.unwrap();
        store.close().await;
        (Recorder::new(HistorySettings::USUAL, texts, clock), keeper)
    }

    fn listed(number: u32, text: &str) -> ListedRun {
        let run = Run {
            id: Uuid::from_u128(number.into()),
            owner: "me".parse().unwrap(),
            session: Uuid::nil(),
            connection: None,
            connection_name: None,
            driver_type: "test".parse().unwrap(),
            started: Timestamp::UNIX_EPOCH,
            text_bytes: text.len() as u64,
            end: RunEnd {
                outcome: Outcome::Unfinished,
                error_code: String::new(),
                duration: Duration::ZERO,
                rows: 0,
                bytes: 0,
            },
        };
        let text = Some(Written::Plain(text.as_bytes().to_vec()));
        ListedRun { run, text, cursor: format!("0.{number}").parse().unwrap() }
    }

    #[tokio::test]
    async fn a_run_that_ends_while_it_is_read_did_not_end_by_the_death_of_its_core() {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, keeper) = reader(&folder).await;
        let (ran, lost) = (listed(1, "select 1"), listed(2, "select 2"));
        // It ran when the store was about to be asked, and the recorder knows it no more.
        let running = HashSet::from([ran.run.id]);
        let reading = Reading { recorder: &recorder, keeper: &keeper, running: &running };
        let found = look_through(vec![ran, lost], &reading, None, 2);
        let told: Vec<_> = found.runs.iter().map(|entry| entry.is_running).collect();
        assert_eq!(told, [true, false]);
    }

    #[tokio::test]
    async fn a_list_has_the_beginnings_of_texts_alone_and_few_are_made_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, keeper) = reader(&folder).await;
        let long = format!("é{}needle", "x".repeat(RUN_TEXT_BYTES_MAX - 8));
        let running = HashSet::new();
        let reading = Reading { recorder: &recorder, keeper: &keeper, running: &running };
        let found = look_through(vec![listed(1, &long)], &reading, Words::of("needle").as_ref(), 9);
        let [RunEntry { text: PastText::Kept(text), kept_bytes, .. }] = found.runs.as_slice() else {
            panic!("its words are in it")
        };
        assert_eq!((text.chars().count(), *kept_bytes), (RUN_TEXT_START_CHARS, long.len() as u64));
        assert!(long.starts_with(text.as_str()) && text.capacity() < 8 * RUN_TEXT_START_CHARS);

        let mut turns = Vec::new();
        for _ in 0..READERS_MAX {
            turns.push(recorder.turn().now_or_never().unwrap());
        }
        assert!(recorder.turn().now_or_never().is_none());
        turns.pop();
        assert!(recorder.turn().now_or_never().is_some());
    }

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
