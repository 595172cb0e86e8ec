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

/// Whether this host lets us mount: as root, or in a user namespace.
pub(crate) fn can_mount() -> bool {
    unshare().args(["mount", "-t", "tmpfs", "none", "/mnt"]).status().is_ok_and(|status| status.success())
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--"]);
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
