//! Files that go into a table: `--copy-from`, and the shell's `\copy`.

use std::{
    fs,
    io::{BufWriter, Write as _},
    time::Duration,
};

use rustix::process::{Pid, Signal};

use super::{PG, Site};
use crate::{
    house::{Running, within},
    limits::peak_mb,
};

const TABLE: &str = "create table t (i int primary key, s text)";
const COPY: &str = "copy t from stdin (format csv)";

/// A file of so many lines `<number>,<padding>`.
fn lines(site: &Site, count: usize, padding: usize) -> String {
    let path = site.house.path("data.csv");
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    let padding = "x".repeat(padding);
    for number in 1..=count {
        writeln!(file, "{number},{padding}").unwrap();
    }
    file.flush().unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_hundred_megabytes_go_in_and_memory_stays_flat() {
    let site = Site::start();
    site.ask(TABLE);
    let file = lines(&site, 100_000, 1024);
    assert!(fs::metadata(&file).unwrap().len() > 100_000_000);
    let mut running =
        Running::start(site.command(&["query", PG, "-v", "--deadline", "none", COPY, "--copy-from", &file]));
    let program = Pid::from_child(&running.child);
    let mut peaks = (0, 0);
    while running.child.try_wait().unwrap().is_none() {
        peaks = (peak_mb(program).max(peaks.0), peak_mb(running.driver).max(peaks.1));
        std::thread::sleep(Duration::from_millis(2));
    }
    let (code, said) = running.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("COPY 100000"), "{said}");
    assert_eq!(site.ask("select count(*), min(length(s)) from t"), "100000|1024");
    assert!(peaks.0 > 0 && peaks.0 < 100, "the program had {} MB", peaks.0);
    assert!(peaks.1 > 0 && peaks.1 < 100, "the driver had {} MB", peaks.1);
}

#[test]
fn what_is_wrong_with_a_file_is_told_and_leaves_nothing() {
    let site = Site::start();
    site.ask(TABLE);
    let file = site.house.path("data.csv");
    let path = file.to_str().unwrap();
    let copied = |data: &[u8]| {
        fs::write(&file, data).unwrap();
        site.run(&["query", PG, COPY, "--copy-from", path])
    };
    let broken = copied(b"1,one\n2,two\nthree,3\n4,four\n").exits(1);
    assert!(broken.stderr.contains("invalid input syntax for type integer: \"three\""), "{}", broken.stderr);
    assert!(broken.stderr.contains("context: COPY t, line 3, column i: \"three\""), "{}", broken.stderr);
    let zero = copied(b"1,a\0b\n").exits(1);
    assert!(zero.stderr.contains("code: SQLSTATE 22021"), "{}", zero.stderr);
    assert_eq!(site.ask("select count(*) from t"), "0");
    // A file that is not there, or is none, is found before anything is sent.
    fs::remove_file(&file).unwrap();
    let script = "create table made (i int); copy t from stdin";
    for missing in [path, site.house.path("").to_str().unwrap()] {
        let refused = site.run(&["query", PG, script, "--copy-from", missing]).exits(2);
        assert!(refused.stderr.contains("cannot read "), "{}", refused.stderr);
    }
    assert_eq!(site.ask("select to_regclass('made') is null"), "t");
    // Nobody gives data, or only to one of two.
    let refused = site.query(COPY).exits(1);
    assert!(refused.stderr.contains("COPY FROM STDIN has no data"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--copy-from FILE"), "{}", refused.stderr);
    fs::write(&file, "5,five\n").unwrap();
    // Data that nobody asks for is not taken for given.
    let unused = site.run(&["query", PG, "select 1 as one", "--copy-from", path]).exits(2);
    assert_eq!(unused.stdout, "one\n1\n");
    assert!(unused.stderr.contains("no statement asked for data, so that "), "{}", unused.stderr);
    let twice = format!("{COPY}; {COPY}");
    let refused = site.run(&["query", PG, &twice, "--copy-from", path]).exits(1);
    assert!(refused.stderr.contains("the data was given to a statement before"), "{}", refused.stderr);
    let rolled_back = format!("begin; {COPY}; rollback");
    site.run(&["query", PG, "delete from t"]).exits(0);
    site.run(&["query", PG, &rolled_back, "--copy-from", path]).exits(0);
    assert_eq!(site.ask("select count(*) from t"), "0");
    fs::write(&file, "").unwrap();
    let empty = site.run(&["query", PG, COPY, "--copy-from", path]).exits(0);
    assert!(empty.stderr.contains("COPY 0"), "{}", empty.stderr);
}

#[test]
fn a_cancel_in_the_middle_leaves_no_row_and_waiting_for_data_takes_no_time() {
    let site = Site::start();
    site.ask(TABLE);
    // Standard input holds the password already.
    let both = site.run(&["query", PG, COPY, "--copy-from", "-"]).exits(2);
    assert!(
        both.stderr.contains("standard input cannot hold both the password and the data"),
        "{}",
        both.stderr
    );

    // Somebody who holds the pipe open, and sends nothing more.
    let pipe = site.house.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let path = pipe.to_str().unwrap();
    let command = site.command(&["query", PG, "-v", "--deadline", "2s", COPY, "--copy-from", path]);
    let writer = std::thread::spawn(move || {
        let mut writer = fs::OpenOptions::new().write(true).open(pipe).unwrap();
        writer.write_all(b"3,three\n").unwrap();
        writer
    });
    let running = Running::start(command);
    let writer = writer.join().unwrap();
    let waits =
        "select count(*) from pg_stat_activity where query like 'copy t %' and wait_event = 'ClientRead'";
    within(Duration::from_secs(60), "the server waits for data", || site.ask(waits) == "1");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(site.ask(waits), "1", "the deadline does not run while the database waits for data");
    running.signal(Signal::INT);
    let (code, said) = running.end();
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("cancelled: confirmed by the database"), "{said}");
    drop(writer);
    assert_eq!(site.ask("select count(*) from t"), "0");
    within(Duration::from_secs(60), "the session is gone", || site.is_left_alone());
}

#[test]
fn the_shell_copies_a_file_within_its_transaction() {
    let site = Site::start();
    site.ask(TABLE);
    let file = lines(&site, 10, 3);
    let script = site.house.path("script.sql");
    fs::write(
        &script,
        format!(
            "begin;\n\\copy t (i, s) from '{file}' with (format csv)\nselect count(*) from t;\nrollback;\n\
             \\copy t from '{file}' (format csv)\nselect max(i) from t;\n"
        ),
    )
    .unwrap();
    let ran = site.run(&["shell", PG, "-f", script.to_str().unwrap()]).exits(0);
    assert_eq!(ran.stdout, "count\n10\n\nmax\n10\n", "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("COPY 10").count(), 2, "{}", ran.stderr);
    fs::write(&script, "\\copy t from '/nowhere/x'\nselect 1;\n").unwrap();
    let ran = site.run(&["shell", PG, "-f", script.to_str().unwrap()]).exits(2);
    assert!(ran.stderr.contains("cannot read /nowhere/x"), "{}", ran.stderr);
}
