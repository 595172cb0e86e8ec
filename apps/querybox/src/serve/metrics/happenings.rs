//! The numbers of what happens in Core.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use querybox_core::{
    Core, DriverStart, DriverType, Happening, KeyringOperation, KeyringOutcome, Outcome, RequestEnd,
    VaultOperation, VaultOutcome, Verb,
};

use super::SECONDS;

/// Bounds of the times of starts in seconds: a spare is there at once, a process takes some milliseconds.
const START_SECONDS: [f64; 11] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// What is counted as it happens.
#[derive(Clone)]
pub(super) struct Happenings {
    requests: Family<RequestLabels, Counter>,
    runs: Family<RunLabels, Counter>,
    seconds: Histograms<DriverLabels>,
    first_row: Histograms<DriverLabels>,
    rows: Family<DriverLabels, Counter>,
    bytes: Family<DriverLabels, Counter>,
    starts: Histograms<StartLabels>,
    vault: Family<OperationLabels, Counter>,
    keyring: Family<OperationLabels, Counter>,
}

/// What Core keeps count of by itself, and is asked when somebody looks.
pub(super) struct Levels {
    sessions: Gauge,
    spares: Gauge,
    spare_starts: Family<SpareLabels, Counter>,
    endings: Family<EndingLabels, Counter>,
    spool_memory: Gauge,
    spool_disk: Gauge,
    spool_files: Gauge,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    verb: &'static str,
    outcome: &'static str,
}

/// A driver, of those that are installed, and how a script ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    driver: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DriverLabels {
    driver: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StartLabels {
    driver: String,
    start: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpareLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndingLabels {
    cause: &'static str,
}

impl Happenings {
    pub(super) fn new(registry: &mut Registry) -> Happenings {
        let times = || Histogram::new(SECONDS);
        let happenings = Happenings {
            requests: Family::default(),
            runs: Family::default(),
            seconds: Family::new_with_constructor(times),
            first_row: Family::new_with_constructor(times),
            rows: Family::default(),
            bytes: Family::default(),
            starts: Family::new_with_constructor(|| Histogram::new(START_SECONDS)),
            vault: Family::default(),
            keyring: Family::default(),
        };
        let Happenings { requests, runs, seconds, first_row, rows, bytes, starts, vault, keyring } =
            happenings.clone();
        registry.register("requests", "Requests to databases that ended, by what they were for", requests);
        registry.register("runs", "Scripts that ended, by driver and outcome", runs);
        registry.register("run_seconds", "Time from a script's request to its end", seconds);
        registry.register("first_row_seconds", "Time from a script's request to its first row", first_row);
        registry.register("run_rows", "Rows that scripts returned", rows);
        registry.register("run_bytes", "Bytes of results that scripts returned", bytes);
        registry.register(
            "driver_start_seconds",
            "Time until a request had its confined driver: a fresh process, or a spare",
            starts,
        );
        registry.register("vault_operations", "What was asked of the vault, and what came of it", vault);
        registry.register(
            "keyring_operations",
            "What was asked of the keyring, and what came of it",
            keyring,
        );
        happenings
    }

    pub(super) fn count(&self, happening: &Happening<'_>) {
        match *happening {
            Happening::Ended(request, end) => self.ended(request.verb, &request.driver_type, end),
            Happening::DriverStarted { driver_type, start, took } => {
                let start = match start {
                    DriverStart::Fresh => "fresh",
                    DriverStart::Spare => "spare",
                };
                let labels = StartLabels { driver: driver_type.to_string(), start };
                self.starts.get_or_create(&labels).observe(took.as_secs_f64());
            }
            Happening::VaultUsed(operation, outcome) => {
                let labels =
                    OperationLabels { operation: vault_word(operation), outcome: vault_outcome(outcome) };
                self.vault.get_or_create(&labels).inc();
            }
            Happening::KeyringUsed(operation, outcome) => {
                let labels =
                    OperationLabels { operation: keyring_word(operation), outcome: keyring_outcome(outcome) };
                self.keyring.get_or_create(&labels).inc();
            }
            Happening::Began(_)
            | Happening::SessionEnded { .. }
            | Happening::Cancelled { .. }
            | Happening::Extended { .. } => {}
        }
    }

    fn ended(&self, verb: Verb, driver_type: &DriverType, end: &RequestEnd) {
        let outcome = outcome_word(end.outcome);
        self.requests.get_or_create(&RequestLabels { verb: verb.word(), outcome }).inc();
        if verb != Verb::Execute {
            return;
        }
        let driver = driver_type.to_string();
        self.runs.get_or_create(&RunLabels { driver: driver.clone(), outcome }).inc();
        let labels = DriverLabels { driver };
        self.seconds.get_or_create(&labels).observe(end.duration.as_secs_f64());
        if let Some(first_row) = end.first_row {
            self.first_row.get_or_create(&labels).observe(first_row.as_secs_f64());
        }
        self.rows.get_or_create(&labels).inc_by(end.rows);
        self.bytes.get_or_create(&labels).inc_by(end.bytes);
    }
}

impl Levels {
    pub(super) fn new(registry: &mut Registry) -> Levels {
        let levels = Levels {
            sessions: Gauge::default(),
            spares: Gauge::default(),
            spare_starts: Family::default(),
            endings: Family::default(),
            spool_memory: Gauge::default(),
            spool_disk: Gauge::default(),
            spool_files: Gauge::default(),
        };
        let Levels { sessions, spares, spare_starts, endings, spool_memory, spool_disk, spool_files } =
            &levels;
        registry.register("sessions_running", "Sessions that run or are leased", sessions.clone());
        registry.register("spares_ready", "Drivers that wait to be needed", spares.clone());
        registry.register(
            "spares",
            "Starts that took a spare or missed one, and spares that were given up",
            spare_starts.clone(),
        );
        registry.register(
            "driver_endings",
            "Processes of drivers that ended, by cause; those too that were only asked what they are",
            endings.clone(),
        );
        registry.register("spool_memory_bytes", "Memory of results that are kept", spool_memory.clone());
        registry.register("spool_disk_bytes", "Disk of results that are kept", spool_disk.clone());
        registry.register("spool_files", "Files of results that are kept", spool_files.clone());
        levels
    }

    /// Brings them up to now.
    pub(super) fn read(&self, core: &Core) {
        let level = |level: u64| i64::try_from(level).unwrap_or(i64::MAX);
        self.sessions.set(level(core.running_sessions().len() as u64));
        let spares = core.spare_counts();
        self.spares.set(level(spares.ready as u64));
        for (outcome, count) in
            [("used", spares.used), ("missed", spares.missed), ("dropped", spares.dropped)]
        {
            set(&self.spare_starts, &SpareLabels { outcome }, count);
        }
        let endings = core.driver_endings();
        for (cause, count) in [
            ("exited", endings.exited),
            ("failed", endings.failed),
            ("signal", endings.signaled),
            ("deadline", endings.deadline),
            ("memory", endings.memory),
            ("file_size", endings.file_size),
            ("killed", endings.killed),
        ] {
            set(&self.endings, &EndingLabels { cause }, count);
        }
        let spool = core.results_used();
        self.spool_memory.set(level(spool.memory_bytes));
        self.spool_disk.set(level(spool.disk_bytes));
        self.spool_files.set(level(spool.files));
    }
}

/// What is counted elsewhere, and never grows less.
fn set<L>(family: &Family<L, Counter>, labels: &L, count: u64)
where
    L: Clone + Eq + std::hash::Hash,
{
    let counter = family.get_or_create(labels);
    let inner: &AtomicU64 = counter.inner();
    // Of two that look at once, the one that asked first may come here last.
    inner.fetch_max(count, Ordering::Relaxed);
}

/// An outcome as it is written down.
pub(in crate::serve) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Rejected => "rejected",
        Outcome::Failed => "failed",
        Outcome::Limited => "limited",
        Outcome::Canceled => "canceled",
        // Nobody is told of an end that there was not.
        Outcome::Unfinished => "unfinished",
    }
}

fn vault_word(operation: VaultOperation) -> &'static str {
    match operation {
        VaultOperation::Load => "load",
        VaultOperation::Seal => "seal",
        VaultOperation::Open => "open",
    }
}

fn vault_outcome(outcome: VaultOutcome) -> &'static str {
    match outcome {
        VaultOutcome::Done => "done",
        VaultOutcome::NoSource => "no_source",
        VaultOutcome::KeysUnusable => "keys_unusable",
        VaultOutcome::DoesNotOpen => "does_not_open",
    }
}

fn keyring_word(operation: KeyringOperation) -> &'static str {
    match operation {
        KeyringOperation::Probe => "probe",
        KeyringOperation::Add => "add",
        KeyringOperation::Get => "get",
        KeyringOperation::Delete => "delete",
    }
}

fn keyring_outcome(outcome: KeyringOutcome) -> &'static str {
    match outcome {
        KeyringOutcome::Done => "done",
        KeyringOutcome::Missing => "missing",
        KeyringOutcome::Absent => "absent",
        KeyringOutcome::Locked => "locked",
        KeyringOutcome::Denied => "denied",
        KeyringOutcome::Silent => "silent",
        KeyringOutcome::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_elsewhere_never_goes_back() {
        let family = Family::default();
        let labels = SpareLabels { outcome: "used" };
        for count in [3, 5, 4] {
            set(&family, &labels, count);
        }
        assert_eq!(family.get_or_create(&labels).get(), 5);
    }
}
