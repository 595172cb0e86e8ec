//! Threads of Core come and go; the drivers that were started on their behalf stay.

use std::{sync::Arc, thread, time::Duration};

use querybox_launcher::{CancelOutcome, Fact};

use crate::house::{House, script};

/// Threads that end and are replaced, while the statements run.
const WAVES: usize = 20;
const THREADS_PER_WAVE: usize = 10;
/// Long enough for a thread without work to end, which it does after a millisecond.
const THREAD_ENDS: Duration = Duration::from_millis(10);

#[test]
fn fifty_long_statements_outlive_the_threads_that_started_them() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Blocking threads end as soon as they have nothing to do.
        .thread_keep_alive(Duration::from_millis(1))
        .enable_all()
        .build()
        .unwrap();
    let house = Arc::new(House::new());
    let running = runtime.block_on(async {
        let mut running = Vec::new();
        for _ in 0..50 {
            let house = Arc::clone(&house);
            let handle = runtime.handle().clone();
            let start = move || {
                let driver = handle.block_on(house.open());
                (driver, thread::current().id())
            };
            let (driver, starter) = runtime.spawn_blocking(start).await.unwrap();
            let mut parts = driver.execute(script("wait")).await.unwrap();
            let Fact::Header { .. } = parts.next().await.unwrap().unwrap().fact else { panic!() };
            running.push((driver, parts, starter));
            tokio::time::sleep(THREAD_ENDS).await;
        }
        running
    });

    let mut seen = running.iter().map(|(_, _, starter)| *starter).collect::<std::collections::HashSet<_>>();
    let starters = seen.clone();
    runtime.block_on(async {
        for _ in 0..WAVES {
            let handle = runtime.handle().clone();
            let wave = (0..THREADS_PER_WAVE).map(|_| {
                let (house, handle) = (Arc::clone(&house), handle.clone());
                runtime.spawn_blocking(move || {
                    // Also one that is given up with its thread.
                    drop(handle.block_on(house.start()));
                    thread::current().id()
                })
            });
            for thread in wave.collect::<Vec<_>>() {
                seen.insert(thread.await.unwrap());
            }
            tokio::time::sleep(THREAD_ENDS).await;
        }
    });
    assert!(starters.len() > 1 && seen.len() > starters.len() + WAVES / 2, "threads came and went");

    runtime.block_on(async {
        for (driver, mut parts, _) in running {
            assert_eq!(driver.cancel().await.unwrap(), CancelOutcome::Requested);
            let Fact::Rejection(rejection) = parts.next().await.unwrap().unwrap().fact else { panic!() };
            assert_eq!(rejection.message, "interrupted", "it ran until it was cancelled");
        }
        house.launcher.shutdown().await;
    });
}
