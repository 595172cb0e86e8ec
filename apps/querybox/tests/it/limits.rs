//! Limits: rows, time, memory.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use expect_test::expect;
use rustix::process::Pid;

use crate::house::{ENDLESS, ENDLESS_SILENT, House, Running, within};

#[test]
fn a_row_limit_is_no_failure() {
    House::new()
        .run(["query", "shop", "--max-rows", "2", ENDLESS])
        .exits(0)
        .on_stdout(expect![[r#"
            n
            1
            2
        "#]])
        .on_stderr(expect![[r#"
            (first 2 rows of more: row limit reached, T)
        "#]]);
}

#[test]
fn a_deadline_ends_what_runs() {
    let house = House::new();
    let start = Instant::now();
    house.run(["query", "shop", "--deadline", "300ms", ENDLESS_SILENT]).says(
        4,
        expect![[r#"
        error: the request took longer than its deadline of 300ms
         hint: `--deadline` gives it more time, `--deadline none` all of it
    "#]],
    );
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[test]
fn the_connections_deadline_counts_and_the_requests_wins() {
    let house = House::new();
    house.run(["connections", "edit", "shop", "--deadline", "300ms"]).exits(0);
    house.run(["query", "shop", ENDLESS_SILENT]).exits(4);
    let command = house.command(["query", "shop", "-v", "--deadline", "none", ENDLESS_SILENT]);
    let mut running = Running::start(command);
    std::thread::sleep(Duration::from_millis(900));
    assert!(running.child.try_wait().unwrap().is_none());
    running.child.kill().unwrap();
    running.end();
}

/// The most memory that a process had resident, in MB. 0: it is gone.
pub(crate) fn peak_mb(pid: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")).map_or(0, |kb| kb.parse::<u64>().unwrap() / 1000)
}

#[test]
fn memory_is_flat_and_the_first_line_is_on_disk_at_once() {
    let house = House::new();
    // Some 330 MB of CSV: three times what any process may use.
    let sql = "with recursive c(n) as (select 1 union all select n + 1 from c limit 300000) \
               select n, printf('%01100d', n) as filler from c";
    for format in ["csv", "json", "table"] {
        let out = house.path(&format!("out.{format}"));
        let mut command = house.command(["query", "shop", "-v", "--format", format, sql]);
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
        assert!(peaks.0 > 0 && peaks.0 < 100, "{format}: the program had {} MB", peaks.0);
        assert!(peaks.1 > 0 && peaks.1 < 100, "{format}: the driver had {} MB", peaks.1);
        fs::remove_file(out).unwrap();
    }
}

#[test]
fn a_reader_that_waits_does_not_fill_memory_and_is_not_timed() {
    let house = House::new();
    let mut command = house.command(["query", "shop", "-v", "--deadline", "1s", ENDLESS]);
    command.stdout(Stdio::piped());
    let mut running = Running::start(command);
    std::thread::sleep(Duration::from_millis(2500));
    assert!(running.child.try_wait().unwrap().is_none(), "waiting for the reader does not count");
    assert!(peak_mb(Pid::from_child(&running.child)) < 100);
    assert!(peak_mb(running.driver) < 100);
    drop(running.child.stdout.take());
    let (code, said) = running.end();
    assert_eq!((code, said.as_str()), (141, ""));
}

#[test]
fn a_cell_that_was_cut_fails_for_programs_and_not_for_people() {
    let house = House::new();
    let sql = "select hex(zeroblob(9000000)) as long";
    for format in ["csv", "tsv", "json", "ndjson", "markdown", "arrow"] {
        let out = house.path("out");
        let mut command = house.command(["query", "shop", "--format", format, sql]);
        command.stdout(fs::File::create(&out).unwrap());
        let ran = house.ran(command.output().unwrap()).exits(4);
        assert!(ran.stderr.contains("warning: 1 cell was cut at 16 MiB; "), "{format}: {ran:#?}");
        assert!(fs::metadata(&out).unwrap().len() >= 16 << 20, "{format}: the beginning is there");
    }
    let ran = house.run(["query", "shop", "--format", "table", sql]).exits(0);
    assert!(ran.stderr.contains("warning: 1 cell was cut at 16 MiB; "), "{}", ran.stderr);
    // A file counts as whole: one that is not keeps its old content.
    fs::write(house.path("kept.csv"), "old").unwrap();
    let ran = house.run(["query", "shop", "-o", "kept.csv", sql]).exits(4);
    assert!(ran.stderr.ends_with("kept.csv was not written\n"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(house.path("kept.csv")).unwrap(), "old");
}

#[test]
fn a_script_from_a_pipe_is_read_up_to_what_core_takes() {
    let house = House::new();
    let mut command = house.command(["query", "shop"]);
    command.stdin(fs::File::open("/dev/zero").unwrap());
    house.ran(command.output().unwrap()).says(
        2,
        expect![[r#"
            error: the script is larger than 64 MiB
             hint: run it in parts
        "#]],
    );
}
