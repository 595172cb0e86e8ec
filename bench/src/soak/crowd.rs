//! Cycles, several at once.

use std::{
    future::Future,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use indicatif::ProgressBar;
use tokio::task::JoinSet;

/// Runs every cycle of a range, `at_once` of them at any time, and answers with what each came to, in no order.
///
/// A cycle's panic is one of the soak, and goes on here.
pub(super) async fn run<T, F>(
    cycles: Range<usize>,
    at_once: usize,
    progress: &ProgressBar,
    cycle: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    let next = Arc::new(AtomicUsize::new(cycles.start));
    let mut workers = JoinSet::new();
    for _ in 0..at_once {
        let (next, cycle, progress) = (Arc::clone(&next), cycle.clone(), progress.clone());
        let end = cycles.end;
        workers.spawn(async move {
            let mut outcomes = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    return outcomes;
                }
                outcomes.push(cycle(number).await);
                progress.inc(1);
            }
        });
    }
    workers.join_all().await.into_iter().flatten().collect()
}
