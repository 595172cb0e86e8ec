//! This test binary once more, as another process: it runs one ignored test, told by the environment what to do.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const PATH: &str = "QUERYBOX_STORE_TEST_PATH";
const LABEL: &str = "QUERYBOX_STORE_TEST_LABEL";

/// The command that runs an ignored test on a store. Its standard output is piped.
pub(crate) fn child(test: &str, path: &Path, label: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    fill(&mut command, test, path, label);
    command
}

/// As [`child`], with file systems of its own: what it mounts is gone with it, even when it is killed.
pub(crate) fn child_with_own_mounts(test: &str, path: &Path, label: &str) -> Command {
    let mut command = unshare();
    command.arg(env::current_exe().unwrap());
    fill(&mut command, test, path, label);
    command
}

/// As [`child`], with each sync of a file written to `log`, a line each.
pub(crate) fn child_with_syncs_logged(test: &str, path: &Path, label: &str, log: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o"]).arg(log);
    command.arg(env::current_exe().unwrap());
    fill(&mut command, test, path, label);
    command
}

/// Whether this host has strace, and lets it trace.
pub(crate) fn can_trace() -> bool {
    Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status()
        .is_ok_and(|status| status.success())
}

/// Says loudly that a test did not run; where CI promises the host for it, that is a failure.
#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
pub(crate) fn not_tested(test: &str, missing: &str) {
    assert!(env::var_os("CI").is_none(), "CI promises a host for {test}: {missing}");
    eprintln!("NOT TESTED: {test}: {missing}");
}

/// Whether this host lets us mount: as root, or in a user namespace.
pub(crate) fn can_mount() -> bool {
    unshare().args(["mount", "-t", "tmpfs", "none", "/mnt"]).status().is_ok_and(|status| status.success())
}

/// Root needs no user namespace, and some hosts refuse one even to root.
fn unshare() -> Command {
    let as_root = ["--mount", "--"];
    let as_anyone = ["--user", "--map-root-user", "--mount", "--"];
    let is_root = Command::new("unshare").args(as_root).arg("true").stderr(Stdio::null()).status();
    let mut command = Command::new("unshare");
    if is_root.is_ok_and(|status| status.success()) {
        command.args(as_root);
    } else {
        command.args(as_anyone);
    }
    command
}

fn fill(command: &mut Command, test: &str, path: &Path, label: &str) {
    command
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", test])
        .env(PATH, path)
        .env(LABEL, label)
        .stdout(Stdio::piped());
}

/// What the parent told: the store's path and a label.
pub(crate) fn told() -> (PathBuf, String) {
    let told = |name| env::var(name).expect("this is half of another test, which starts it");
    (told(PATH).into(), told(LABEL))
}
