//! Ends that nobody planned: signals, dead drivers, closed pipes.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use expect_test::expect;
use rustix::process::{Pid, Signal, kill_process};

use crate::house::{ENDLESS, ENDLESS_SILENT, House, Running, lives, names, within};

/// Longer than anything here may take, shorter than a deadline.
const SOON: Duration = Duration::from_secs(2);

#[test]
fn ctrl_c_tells_what_the_database_answered() {
    let house = House::new();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let running = Running::start(house.command(["query", "shop", "-v", ENDLESS_SILENT]));
        std::thread::sleep(Duration::from_millis(200));
        running.signal(signal);
        let driver = running.driver;
        let (code, said) = running.end();
        assert_eq!(code, 130, "{said}");
        assert_eq!(said, "cancelled: confirmed by the database after T\n");
        within(SOON, "the driver's end", || !lives(driver));
    }
}

#[test]
fn a_hang_up_that_is_ignored_stays_so() {
    let house = House::new();
    let mut command = Command::new("nohup");
    house.furnish(&mut command);
    command.args([env!("CARGO_BIN_EXE_querybox"), "query", "shop", "-v", ENDLESS_SILENT]);
    let mut running = Running::start(command);
    std::thread::sleep(Duration::from_millis(200));
    running.signal(Signal::HUP);
    std::thread::sleep(Duration::from_millis(300));
    assert!(running.child.try_wait().unwrap().is_none());
    running.signal(Signal::TERM);
    assert_eq!(running.end().0, 130);
}

#[test]
fn ctrl_c_is_heard_while_nobody_reads() {
    let house = House::new();
    let mut running = Running::start(house.command(["query", "shop", "-v", ENDLESS]));
    let mut stdout = BufReader::new(running.child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    // By then the pipe is full.
    std::thread::sleep(Duration::from_millis(300));
    running.signal(Signal::INT);
    let driver = running.driver;
    let (code, said) = running.end();
    assert_eq!(code, 130);
    expect![[r#"
        cancelled: confirmed by the database after T
    "#]]
    .assert_eq(&said);
    within(SOON, "the driver's end", || !lives(driver));
}

#[test]
fn a_cancelled_file_leaves_no_trace() {
    let house = House::new();
    let before = names(&house.path(""));
    for file in ["out.csv", "out.parquet", "out.xlsx"] {
        let running = Running::start(house.command(["query", "shop", "-v", "-o", file, ENDLESS]));
        // It is there before the driver is.
        assert!(names(&house.path("")).len() > before.len());
        running.signal(Signal::INT);
        assert_eq!(running.end().0, 130);
        assert_eq!(names(&house.path("")), before);
    }
}

#[test]
fn a_second_ctrl_c_ends_everything_at_once() {
    let house = House::new();
    let running = Running::start(house.command(["query", "shop", "-v", ENDLESS_SILENT]));
    // A driver that is stopped cannot answer a cancel.
    kill_process(running.driver, Signal::STOP).unwrap();
    running.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(300));
    running.signal(Signal::INT);
    let driver = running.driver;
    let start = std::time::Instant::now();
    assert_eq!(running.end().0, 130);
    assert!(start.elapsed() < Duration::from_millis(1000), "{:?}", start.elapsed());
    within(SOON, "the driver's end", || !lives(driver));
}

#[test]
fn a_driver_that_does_not_answer_a_cancel_is_killed() {
    let house = House::new();
    let running = Running::start(house.command(["query", "shop", "-v", ENDLESS_SILENT]));
    kill_process(running.driver, Signal::STOP).unwrap();
    running.signal(Signal::INT);
    let driver = running.driver;
    let (code, said) = running.end();
    assert_eq!(code, 130);
    expect![[r#"
        cancelled: the database did not answer; its driver was killed after T
    "#]]
    .assert_eq(&said);
    assert!(!lives(driver));
}

#[test]
fn a_closed_pipe_ends_in_silence() {
    let house = House::new();
    for format in ["csv", "table", "json"] {
        let mut running = Running::start(house.command(["query", "shop", "-v", "--format", format, ENDLESS]));
        let mut stdout = BufReader::new(running.child.stdout.take().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        drop(stdout);
        let driver = running.driver;
        let (code, said) = running.end();
        assert_eq!((code, said.as_str()), (141, ""), "{format}");
        within(SOON, "the driver's end", || !lives(driver));
    }
}

#[test]
fn a_closed_pipe_ends_listings_in_silence_too() {
    let house = House::new();
    let mut child = house.command(["completions", "bash"]).spawn().unwrap();
    drop(child.stdout.take());
    let ran = house.ran(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (141, ""));
}

#[test]
fn a_driver_that_is_killed_is_named() {
    let house = House::new();
    let running = Running::start(house.command(["query", "shop", "-v", ENDLESS_SILENT]));
    kill_process(running.driver, Signal::KILL).unwrap();
    let (code, said) = running.end();
    assert_eq!(code, 3);
    expect![[r#"
        error: the driver ended: it was ended by signal 9 (SIGKILL)
    "#]]
    .assert_eq(&said);
}

#[test]
fn no_driver_outlives_the_program() {
    let house = House::new();
    for sql in [ENDLESS, ENDLESS_SILENT] {
        let mut command = house.command(["query", "shop", "-v", sql]);
        command.stdout(Stdio::null());
        let running = Running::start(command);
        assert!(lives(running.driver));
        running.signal(Signal::KILL);
        let driver = running.driver;
        assert_eq!(running.end().0, -9);
        within(SOON, "the driver's end", || !lives(driver));
    }
}

#[test]
fn nobody_can_look_into_a_process_and_none_leaves_a_core_file() {
    let house = House::new();
    let running = Running::start(house.command(["query", "shop", "-v", ENDLESS_SILENT]));
    let mut seen = 0;
    for pid in [Pid::from_child(&running.child), running.driver] {
        let proc = format!("/proc/{}", pid.as_raw_nonzero());
        let limits = std::fs::read_to_string(format!("{proc}/limits")).unwrap();
        let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"], "{limits}");
        let status = std::fs::read_to_string(format!("{proc}/status")).unwrap();
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
        // What belongs to a process that may be dumped is its user's, else root's: proc(5). Of root's own it does not tell.
        if !uid.trim_start().starts_with("0\t") {
            let environ = std::fs::metadata(format!("{proc}/environ")).unwrap();
            assert_eq!(std::os::unix::fs::MetadataExt::uid(&environ), 0, "{status}");
            seen += 1;
        }
    }
    assert!(seen > 0, "both are root's");
    // The same of a process that is as programs are.
    let plain = std::fs::metadata("/proc/self/environ").unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&plain), rustix::process::geteuid().as_raw());
    running.signal(Signal::INT);
    running.end();
}
