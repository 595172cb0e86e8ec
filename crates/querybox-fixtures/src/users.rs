//! Users to run programs as.

use std::env;

use rustix::process::{getegid, geteuid};

/// A user and a group, by number; neither needs an entry in `/etc/passwd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// The user that root's drivers run as when no file says otherwise.
pub fn unprivileged() -> User {
    User { uid: 65534, gid: 65534 }
}

/// A user without any right. When the tests run as one already, that one.
pub fn ordinary_user() -> User {
    if is_root() {
        User { uid: 54_321, gid: 54_321 }
    } else {
        User { uid: geteuid().as_raw(), gid: getegid().as_raw() }
    }
}

/// Whether a test that needs root can run. If not, it says so; where CI promises root, that fails.
///
/// # Panics
///
/// When the tests do not run as root and the variable `CI` is set.
#[expect(clippy::print_stderr, reason = "a test that does not run must be seen")]
pub fn root_only(test: &str) -> bool {
    if is_root() {
        return true;
    }
    assert!(env::var_os("CI").is_none(), "{test} needs root, and CI promises it");
    eprintln!("NOT RUN: {test} needs root");
    false
}
