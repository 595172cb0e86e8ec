//! Runs that have ended, as whoever counts them is told.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use querybox_launcher::SpareCounts;
use querybox_store::{DriverType, Outcome};

use crate::Core;

/// A script that ran, when it has ended; nothing of what it said or was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedRun {
    pub driver_type: DriverType,
    pub outcome: Outcome,
    pub duration: Duration,
    /// Rows and bytes of all results together.
    pub rows: u64,
    pub bytes: u64,
}

type Told = Box<dyn Fn(&FinishedRun) + Send + Sync>;

/// Who is told. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Observer(Arc<OnceLock<Told>>);

impl Core {
    /// Tells of each run that ends from now on. The observer must not block.
    ///
    /// # Panics
    ///
    /// Somebody is told already.
    pub fn observe_runs(&self, observer: impl Fn(&FinishedRun) + Send + Sync + 'static) {
        assert!(self.observer.0.set(Box::new(observer)).is_ok(), "one observer is told of runs");
    }

    /// What became of drivers that were started before they were needed.
    #[must_use]
    pub fn spare_counts(&self) -> SpareCounts {
        self.launcher.spare_counts()
    }
}

impl Observer {
    pub(crate) fn tell(&self, run: &FinishedRun) {
        if let Some(told) = self.0.get() {
            told(run);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}
