//! Ends that nobody planned, and what is left on the server.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{PG, SLEEP, Site};
use crate::house::{Running, lives, within};

/// After a cancel, and for the driver's end.
const SOON: Duration = Duration::from_secs(2);
/// For the server to see that its client has gone.
const SEEN: Duration = Duration::from_secs(5);

/// Works for ever: before a first row, without looking at its client, and while rows come.
const ENDLESS: [&str; 3] = [
    SLEEP,
    "select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b",
    "select i, md5(i::text) from (select generate_series(1, 1000000000) i) s",
];

/// A query at work, whose rows go nowhere.
fn at_work(site: &Site, sql: &str) -> Running {
    let mut command = site.command(&["query", PG, "-v", "--format", "csv", "--deadline", "none", sql]);
    command.stdout(Stdio::null());
    let running = Running::start(command);
    within(SEEN, "the statement", || site.is_busy());
    running
}

#[test]
fn ctrl_c_ends_the_statement_on_the_server() {
    let site = Site::start();
    for sql in ENDLESS {
        let running = at_work(&site, sql);
        let driver = running.driver;
        running.signal(Signal::INT);
        let pressed = Instant::now();
        let (code, said) = running.end();
        assert_eq!(code, 130, "{sql}: {said}");
        assert_eq!(said, "cancelled: confirmed by the database after T\n", "{sql}");
        within(SOON.saturating_sub(pressed.elapsed()), "the session's end", || site.is_left_alone());
        assert!(!lives(driver), "{sql}");
    }
}

#[test]
fn ctrl_c_is_heard_while_nobody_reads() {
    let site = Site::start();
    // Standard output is a pipe that fills up.
    let running = site.running(ENDLESS[2]);
    within(SEEN, "the statement", || site.is_busy());
    std::thread::sleep(Duration::from_millis(500));
    running.signal(Signal::INT);
    let pressed = Instant::now();
    assert_eq!(running.end().0, 130);
    within(SOON.saturating_sub(pressed.elapsed()), "the session's end", || site.is_left_alone());
}

#[test]
fn ctrl_c_at_any_moment_leaves_nothing_on_the_server() {
    let site = Site::start();
    // Every part of a run is hit: start, log-in, statement.
    for moment in 0..25 {
        let child = site.command(&["query", PG, SLEEP]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(moment * 12));
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let pressed = Instant::now();
        let ran = site.house.ran(child.wait_with_output().unwrap());
        // Before there is anything to end in good order, the signal ends the program.
        assert!(matches!(ran.code, 130 | -2), "{moment}: {ran:?}");
        within(SOON.saturating_sub(pressed.elapsed()), "the session's end", || site.is_left_alone());
    }
}

#[test]
fn a_driver_that_is_killed_leaves_nothing_on_the_server() {
    let site = Site::start();
    for sql in ENDLESS {
        let running = at_work(&site, sql);
        kill_process(running.driver, Signal::KILL).unwrap();
        let killed = Instant::now();
        let (code, said) = running.end();
        assert_eq!(code, 3, "{sql}: {said}");
        assert!(said.ends_with("error: the driver ended: it was ended by signal 9 (SIGKILL)\n"), "{said}");
        within(SEEN.saturating_sub(killed.elapsed()), "the session's end", || site.is_left_alone());
    }
}

#[test]
fn a_program_that_is_killed_leaves_no_driver_and_nothing_on_the_server() {
    let site = Site::start();
    for sql in ENDLESS {
        let running = at_work(&site, sql);
        let driver = running.driver;
        assert!(lives(driver));
        running.signal(Signal::KILL);
        let killed = Instant::now();
        assert_eq!(running.end().0, -9);
        within(SOON, "the driver's end", || !lives(driver));
        within(SEEN.saturating_sub(killed.elapsed()), "the session's end", || site.is_left_alone());
    }
}
