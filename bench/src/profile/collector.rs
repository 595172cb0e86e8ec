//! Adds up how long spans of batches ran and waited, by their name.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::time::{ClockId, clock_gettime};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::{Interest, set_global_default},
};

use super::{Figure, TARGET};

/// Looks at the spans of [`TARGET`], and at nothing else.
#[derive(Debug, Clone, Default)]
pub struct Collector(Arc<Spans>);

#[derive(Debug, Default)]
struct Spans {
    last_id: AtomicU64,
    open: Mutex<HashMap<u64, Open>>,
    totals: Mutex<BTreeMap<&'static str, Total>>,
}

#[derive(Debug)]
struct Open {
    name: &'static str,
    begun: Instant,
    entered: Option<Instant>,
    busy: Duration,
    /// Processor time of the thread that entered it.
    entered_cpu: Duration,
    cpu: Duration,
    /// A span may be held more than once.
    holders: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Total {
    busy: Duration,
    cpu: Duration,
    waiting: Duration,
    count: u64,
}

impl Collector {
    /// Makes one, and lets this process tell it of its spans.
    ///
    /// # Errors
    ///
    /// Somebody else is told already.
    pub fn install() -> anyhow::Result<Self> {
        let collector = Self::default();
        set_global_default(collector.clone()).context("spans are told elsewhere")?;
        Ok(collector)
    }

    /// What was seen since this was last asked.
    #[must_use]
    pub fn take(&self) -> Vec<Figure> {
        let figure = |(name, total): (&str, Total)| {
            let Total { busy, cpu, waiting, count } = total;
            Figure { name: name.to_owned(), busy, cpu, waiting, count }
        };
        std::mem::take(&mut *lock(&self.0.totals)).into_iter().map(figure).collect()
    }
}

impl Subscriber for Collector {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target() == TARGET
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.0.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let name = span.metadata().name();
        let open = Open {
            name,
            begun: Instant::now(),
            entered: None,
            busy: Duration::ZERO,
            entered_cpu: Duration::ZERO,
            cpu: Duration::ZERO,
            holders: 1,
        };
        lock(&self.0.open).insert(id, open);
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        if let Some(open) = lock(&self.0.open).get_mut(&id.into_u64()) {
            open.entered = Some(Instant::now());
            open.entered_cpu = cpu_time(ClockId::ThreadCPUTime);
        }
    }

    fn exit(&self, id: &Id) {
        if let Some(open) = lock(&self.0.open).get_mut(&id.into_u64()) {
            // A span is entered and left on one thread.
            open.cpu += cpu_time(ClockId::ThreadCPUTime).saturating_sub(open.entered_cpu);
            open.busy += open.entered.take().map_or(Duration::ZERO, |entered| entered.elapsed());
        }
    }

    fn clone_span(&self, id: &Id) -> Id {
        if let Some(open) = lock(&self.0.open).get_mut(&id.into_u64()) {
            open.holders += 1;
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut spans = lock(&self.0.open);
        let Some(open) = spans.get_mut(&id.into_u64()) else { return false };
        open.holders -= 1;
        if open.holders > 0 {
            return false;
        }
        if let Some(Open { name, begun, busy, cpu, .. }) = spans.remove(&id.into_u64()) {
            let mut totals = lock(&self.0.totals);
            let total = totals.entry(name).or_default();
            total.busy += busy;
            total.cpu += cpu;
            total.waiting += begun.elapsed().saturating_sub(busy);
            total.count += 1;
        }
        true
    }
}

/// What one of the kernel's clocks of processor time says: it does not stand still where there is no `/proc`, and does not count
/// what others took of the processor.
pub(super) fn cpu_time(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tracing::{Instrument as _, subscriber::with_default, trace_span};

    use super::*;

    #[test]
    fn running_and_waiting_are_told_apart_and_other_spans_are_not_told() {
        const WAIT: Duration = Duration::from_millis(20);
        let collector = Collector::default();
        with_default(collector.clone(), || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let _runtime = runtime.enter();
            let sleeping = tokio::time::sleep(WAIT).instrument(trace_span!(target: TARGET, "sleeps"));
            runtime.block_on(sleeping);
            trace_span!(target: TARGET, "works").in_scope(|| std::thread::sleep(WAIT));
            trace_span!("another").in_scope(|| {});
        });
        let figures = collector.take();
        let [sleeps, works] = &figures[..] else { panic!("two names: {figures:?}") };
        assert_eq!((sleeps.name.as_str(), sleeps.count), ("sleeps", 1));
        assert!(sleeps.waiting >= WAIT / 2 && works.busy >= WAIT && works.count == 1, "{sleeps:?} {works:?}");
        // Asleep is not on the processor.
        assert!(works.cpu < works.busy / 2, "{works:?}");
        assert!(collector.take().is_empty());
    }
}
