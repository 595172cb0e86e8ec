//! Memory stays flat, and the first rows leave at once.

use std::{fs, time::Duration};

use rustix::process::Pid;

use super::{PG, Site};
use crate::{
    house::{Running, within},
    limits::peak_mb,
};

#[test]
fn memory_is_flat_and_the_first_line_is_on_disk_at_once() {
    let site = Site::start();
    // Some 310 MB of CSV: three times what any process may use.
    let sql = "select i, repeat(md5(i::text), 32) from (select generate_series(1, 300000) i) s";
    let out = site.house.path("out.csv");
    let mut command = site.command(&["query", PG, "-v", "--deadline", "none", "--format", "csv", sql]);
    command.stdout(fs::File::create(&out).unwrap());
    let mut running = Running::start(command);
    // What is on disk when it is looked at first is a small part: lines are written as rows come.
    let written = || fs::metadata(&out).unwrap().len();
    within(Duration::from_secs(30), "the first line", || written() > 1000);
    assert!(written() < 150_000_000, "{} bytes came at once", written());
    let program = Pid::from_child(&running.child);
    let mut peaks = (0, 0);
    while running.child.try_wait().unwrap().is_none() {
        peaks = (peak_mb(program).max(peaks.0), peak_mb(running.driver).max(peaks.1));
        std::thread::sleep(Duration::from_millis(2));
    }
    let (code, said) = running.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("(300,000 rows, "), "{said}");
    assert!(fs::metadata(&out).unwrap().len() > 300_000_000);
    assert!(peaks.0 > 0 && peaks.0 < 100, "the program had {} MB", peaks.0);
    assert!(peaks.1 > 0 && peaks.1 < 100, "the driver had {} MB", peaks.1);
}
