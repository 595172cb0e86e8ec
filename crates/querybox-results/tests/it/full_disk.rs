//! A disk without room: a small file system of its own, mounted by a child.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use querybox_results::{Limit, SpoolError, SpoolWriter};

use crate::keeping::{budget, limits, numbered, raw, rows, texts, window};

const FOLDER: &str = "QUERYBOX_RESULTS_TEST_FOLDER";

/// Root needs no user namespace, and some hosts refuse one even to root.
fn unshare() -> Option<Command> {
    let ways: [&[&str]; 2] = [&["--mount", "--"], &["--user", "--map-root-user", "--mount", "--"]];
    let can_mount = |way: &&[&str]| {
        let mount = ["mount", "-t", "tmpfs", "none", "/mnt"];
        let status = Command::new("unshare").args(*way).args(mount).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let way = ways.into_iter().find(can_mount)?;
    let mut command = Command::new("unshare");
    command.args(way);
    Some(command)
}

#[test]
fn a_full_disk_is_named_and_what_was_kept_stays() {
    let Some(mut command) = unshare() else {
        assert!(env::var_os("CI").is_none(), "CI promises a host that mounts");
        eprintln!("NOT TESTED: a_full_disk: neither root nor user namespaces can mount a tmpfs here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let child = command
        .arg(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", "full_disk::fill_the_disk_child"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    let complained = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && told.contains("1 passed"), "{told}{complained}");
}

#[test]
#[ignore = "half of a_full_disk_is_named_and_what_was_kept_stays"]
fn fill_the_disk_child() {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("this is half of another test, which starts it"));
    let mount = ["-t", "tmpfs", "-o", "size=1m", "none"];
    assert!(Command::new("mount").args(mount).arg(&folder).status().unwrap().success());

    let text = |number: i64| format!("{number}{}", "z".repeat(100));
    let sent = numbered(0..1500, text);
    let bytes = raw(&sent, Vec::new()).bytes();
    // More than is free: tmpfs counts in pages, so that the last piece of room cannot be had.
    let all = querybox_results::Limits { free_disk_percent: 200, ..limits() };
    let budget = budget(&folder, all);
    let mut writer = SpoolWriter::new(&budget);
    let rows = rows(&writer, &sent);
    let refused = loop {
        match writer.push(raw(&sent, Vec::new())) {
            Ok(()) => assert!(rows.row_count() < 100_000, "the disk never fills"),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, SpoolError::Limit(Limit::DiskFull)), "{refused:?}");
    assert_eq!(refused.to_string(), "the disk is full");
    let kept = rows.row_count();
    assert!(kept >= 3 * 1500, "{kept} rows");
    for first in (0..kept).step_by(700) {
        assert_eq!(texts(&window(&rows, first, 1).unwrap(), 1), [text((first % 1500) as i64)]);
    }
    // The last rows lie in memory, and the end cannot move them either.
    assert!(matches!(writer.end(), Err(SpoolError::Limit(Limit::DiskFull))));
    assert_eq!(texts(&window(&rows, kept - 1, 9).unwrap(), 1), [text(1499)]);
    assert_eq!(budget.used().bytes, kept / 1500 * bytes);
    // What goes gives its room back, also the half of a block that did not fit.
    drop(rows);
    assert_eq!(budget.used().disk_bytes, 0);
    fs::write(folder.join("room"), vec![1; 1000 << 10]).unwrap();
}
