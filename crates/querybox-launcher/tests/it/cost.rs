//! What control groups cost. Printed, not asserted: `cargo nextest run -p querybox-launcher --run-ignored only --no-capture`.

use std::time::{Duration, Instant};

use querybox_launcher::MemoryControl;

use crate::house::{House, launcher_with};

const ROUNDS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn from_the_order_to_a_confined_process_and_to_its_end() {
    let mut house = House::new();
    // A pause, for what is slow once is what a person meets.
    for pause in [Duration::ZERO, Duration::from_millis(100)] {
        for control in [MemoryControl::WatchAlone, MemoryControl::Groups] {
            house.launcher = launcher_with(control);
            let (mut started, mut ended) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                tokio::time::sleep(pause).await;
                let begun = Instant::now();
                let driver = house.start().await;
                started.push(begun.elapsed());
                let begun = Instant::now();
                driver.kill().await;
                ended.push(begun.elapsed());
            }
            house.launcher.shutdown().await;
            for (what, mut times) in [("start", started), ("end", ended)] {
                let first = times[0];
                times.sort();
                let [median, most] = [times[ROUNDS / 2], times[ROUNDS - 1]];
                println!(
                    "{control:?}, pause {pause:?}: {what}: first {first:?}, median {median:?}, most {most:?}"
                );
            }
        }
    }
}
