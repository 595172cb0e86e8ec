//! Batches that were decoded lately, so that who scrolls does not decode each window anew.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::Batch;

/// A decoded batch with its place in the result.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) rows: Range<u64>,
    pub(crate) batch: Arc<Batch>,
}

/// A batch never changes once it is kept, so what lies here is never stale.
#[derive(Debug)]
pub(crate) struct Cache {
    bytes_max: u64,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// By spool and first row.
    batches: BTreeMap<(u64, u64), Entry>,
    /// By the time of their last use, which no two share.
    by_use: BTreeMap<u64, (u64, u64)>,
    bytes: u64,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    placed: Placed,
    bytes: u64,
    used: u64,
}

impl Cache {
    pub(crate) fn new(bytes_max: u64) -> Cache {
        Cache { bytes_max, entries: Mutex::default() }
    }

    /// The batch that has a row.
    pub(crate) fn get(&self, spool: u64, row: u64) -> Option<Placed> {
        let mut entries = self.entries();
        let Entries { batches, by_use, clock, .. } = &mut *entries;
        let (key, entry) = batches.range_mut((spool, 0)..=(spool, row)).next_back()?;
        if !entry.placed.rows.contains(&row) {
            return None;
        }
        by_use.remove(&entry.used);
        *clock += 1;
        entry.used = *clock;
        by_use.insert(*clock, *key);
        Some(entry.placed.clone())
    }

    /// Keeps a batch for a while. `bytes` is what it holds in memory. One that is longer than all may be is not kept.
    pub(crate) fn put(&self, spool: u64, placed: Placed, bytes: u64) {
        if bytes > self.bytes_max {
            return;
        }
        let mut entries = self.entries();
        let key = (spool, placed.rows.start);
        entries.remove(key);
        while entries.bytes + bytes > self.bytes_max {
            let oldest = *entries.by_use.values().next().expect("what has bytes has entries");
            entries.remove(oldest);
        }
        entries.clock += 1;
        let used = entries.clock;
        entries.by_use.insert(used, key);
        entries.batches.insert(key, Entry { placed, bytes, used });
        entries.bytes += bytes;
    }

    /// Drops what belongs to a spool that goes.
    pub(crate) fn forget(&self, spool: u64) {
        let mut entries = self.entries();
        let keys: Vec<_> =
            entries.batches.range((spool, 0)..=(spool, u64::MAX)).map(|(key, _)| *key).collect();
        for key in keys {
            entries.remove(key);
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().expect("nothing panics while it holds the cache")
    }
}

impl Entries {
    fn remove(&mut self, key: (u64, u64)) {
        if let Some(entry) = self.batches.remove(&key) {
            self.by_use.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{RecordBatch, RecordBatchOptions};
    use arrow_schema::Schema;

    use super::*;

    fn placed(rows: Range<u64>) -> Placed {
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let arrays =
            RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options).unwrap();
        Placed { rows, batch: Arc::new(Batch::new(Arc::new([]), &arrays, 1, Vec::new()).unwrap()) }
    }

    /// Whether each of these rows of spool 0 is there.
    fn there(cache: &Cache, rows: &[u64]) -> Vec<bool> {
        rows.iter().map(|row| cache.get(0, *row).is_some()).collect()
    }

    #[test]
    fn a_row_finds_its_batch_alone() {
        let cache = Cache::new(100);
        cache.put(0, placed(10..20), 1);
        cache.put(1, placed(0..100), 1);
        assert_eq!(there(&cache, &[9, 10, 19, 20]), [false, true, true, false]);
        assert_eq!(cache.get(0, 15).unwrap().rows, 10..20);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let cache = Cache::new(3);
        for row in 0..3 {
            cache.put(0, placed(row..row + 1), 1);
        }
        assert_eq!(there(&cache, &[0]), [true]);
        cache.put(0, placed(3..4), 1);
        assert_eq!(there(&cache, &[0, 1, 2, 3]), [true, false, true, true]);
        cache.put(0, placed(4..5), 3);
        assert_eq!(there(&cache, &[0, 2, 3, 4]), [false, false, false, true]);
    }

    #[test]
    fn bytes_are_counted_once_and_never_over_the_limit() {
        let cache = Cache::new(3);
        cache.put(0, placed(0..1), 2);
        cache.put(0, placed(0..1), 2);
        assert_eq!(cache.entries().bytes, 2);
        cache.put(0, placed(1..2), 4);
        assert_eq!(there(&cache, &[0, 1]), [true, false]);
        cache.forget(1);
        assert_eq!(there(&cache, &[0]), [true]);
        cache.forget(0);
        assert_eq!(there(&cache, &[0]), [false]);
        let entries = cache.entries();
        assert_eq!((entries.bytes, entries.by_use.len()), (0, 0));
    }
}
