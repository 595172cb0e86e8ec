//! What kept results may take, each and all together.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::cache::Cache;

/// What kept results may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one result that stay in memory.
    pub result_memory_bytes: u64,
    /// Bytes of all results that stay in memory.
    pub all_memory_bytes: u64,
    /// Bytes of one result, in memory and on disk.
    pub result_bytes: u64,
    /// Bytes of all results, in memory and on disk.
    pub all_bytes: u64,
    /// How much of the free disk all results may take, in percent. Free is what would be free without them.
    pub free_disk_percent: u8,
    /// Bytes of batches that are kept decoded, of all results together, for those who scroll.
    pub cache_bytes: u64,
    /// Files of all results together, of which each view has one too. Each is a descriptor of the process, of which other
    /// things need some as well.
    pub files_max: u64,
}

/// A limit that ends what is kept of a result. What was kept before can still be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// [`Limits::result_bytes`].
    #[error("the result is longer than the {0} bytes that are kept of one")]
    ResultBytes(u64),
    /// [`Limits::all_bytes`].
    #[error("all kept results together are longer than {0} bytes")]
    AllBytes(u64),
    /// [`Limits::free_disk_percent`].
    #[error("kept results would take more than {0} % of the free disk")]
    FreeDisk(u8),
    /// The disk, or the user's share of it, is full.
    #[error("the disk is full")]
    DiskFull,
    /// All results together have so many files open: one each, and one for each view.
    #[error("kept results lie in {0} files, and in no more; drop one")]
    Files(u64),
}

/// What all kept results share: their limits, what they use of them, and the folder of their files.
#[derive(Debug)]
pub struct Budget {
    folder: PathBuf,
    limits: Limits,
    memory: AtomicU64,
    bytes: AtomicU64,
    disk: AtomicU64,
    files: AtomicU64,
    next_id: AtomicU64,
    cache: Cache,
}

/// What kept results use at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// Bytes in memory, the cache aside.
    pub memory_bytes: u64,
    /// Bytes in memory and on disk, as the drivers sent them.
    pub bytes: u64,
    /// Bytes of files.
    pub disk_bytes: u64,
    /// Files.
    pub files: u64,
}

impl Budget {
    /// A budget for results whose files are made in `folder`, which must exist when the first result outgrows its memory.
    /// They have no name there.
    pub fn new(folder: PathBuf, limits: Limits) -> Arc<Budget> {
        let cache = Cache::new(limits.cache_bytes);
        let [memory, bytes, disk, files, next_id] = [const { AtomicU64::new(0) }; 5];
        Arc::new(Budget { folder, limits, memory, bytes, disk, files, next_id, cache })
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What is used at this moment.
    pub fn used(&self) -> Used {
        Used {
            memory_bytes: self.memory.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            disk_bytes: self.disk.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
        }
    }

    pub(super) fn take_file(&self) -> Result<(), Limit> {
        let most = self.limits.files_max;
        let one_more = |files| (files < most).then_some(files + 1);
        let taken = self.files.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.map(|_| ()).map_err(|_| Limit::Files(most))
    }

    pub(super) fn give_back_file(&self) {
        self.files.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }
}

/// What the spools of one result have taken together: those of all its statements.
#[derive(Debug, Default)]
pub(crate) struct Together {
    memory: AtomicU64,
    bytes: AtomicU64,
}

/// What one spool has taken of the budget; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    together: Arc<Together>,
    /// Whether it is a part of what is kept, or there for the time of some work alone.
    purpose: Purpose,
    /// Tells spools apart in the cache.
    pub(crate) id: u64,
    memory: AtomicU64,
    bytes: AtomicU64,
    disk: AtomicU64,
}

/// What a spool is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be kept.
    Keeping,
    /// For some work, at the end of which it goes: the disk alone is its limit.
    Working,
}

impl Share {
    pub(crate) fn new(budget: &Arc<Budget>, together: &Arc<Together>, purpose: Purpose) -> Share {
        let id = budget.next_id.fetch_add(1, Ordering::Relaxed);
        let [memory, bytes, disk] = [const { AtomicU64::new(0) }; 3];
        Share { budget: budget.clone(), together: together.clone(), purpose, id, memory, bytes, disk }
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes bytes of a batch that is to be kept, wherever it will lie.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), Limit> {
        if self.purpose == Purpose::Working {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            return Ok(());
        }
        let limits = &self.budget.limits;
        // A result has one writer.
        if self.together.bytes.load(Ordering::Relaxed).saturating_add(bytes) > limits.result_bytes {
            return Err(Limit::ResultBytes(limits.result_bytes));
        }
        let all = |used: u64| used.checked_add(bytes).filter(|used| *used <= limits.all_bytes);
        self.budget
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, all)
            .map_err(|_| Limit::AllBytes(limits.all_bytes))?;
        self.together.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        if self.purpose == Purpose::Keeping {
            self.budget.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.together.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Notes memory that is used already.
    pub(crate) fn use_memory(&self, bytes: u64) {
        self.budget.memory.fetch_add(bytes, Ordering::Relaxed);
        self.together.memory.fetch_add(bytes, Ordering::Relaxed);
        self.memory.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn free_memory(&self, bytes: u64) {
        self.budget.memory.fetch_sub(bytes, Ordering::Relaxed);
        self.together.memory.fetch_sub(bytes, Ordering::Relaxed);
        self.memory.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether what is used of memory may stay there.
    pub(crate) fn fits_memory(&self) -> bool {
        let limits = &self.budget.limits;
        self.together.memory.load(Ordering::Relaxed) <= limits.result_memory_bytes
            && self.budget.memory.load(Ordering::Relaxed) <= limits.all_memory_bytes
    }

    /// Takes bytes of the disk, of which so many are free.
    pub(crate) fn take_disk(&self, bytes: u64, free: u64) -> Result<(), Limit> {
        let percent = self.budget.limits.free_disk_percent;
        let may_take = |used: u64| {
            let without_us = u128::from(free) + u128::from(used);
            let most = without_us * u128::from(percent) / 100;
            used.checked_add(bytes).filter(|used| u128::from(*used) <= most)
        };
        self.budget
            .disk
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, may_take)
            .map_err(|_| Limit::FreeDisk(percent))?;
        self.disk.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn give_back_disk(&self, bytes: u64) {
        self.budget.disk.fetch_sub(bytes, Ordering::Relaxed);
        self.disk.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.cache.forget(self.id);
        self.free_memory(self.memory.load(Ordering::Relaxed));
        self.give_back(self.bytes());
        self.give_back_disk(self.disk.load(Ordering::Relaxed));
    }
}
