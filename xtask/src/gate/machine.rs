//! What must be installed before anything is checked.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

use super::quietly;
use crate::cargo;
use crate::workspace::Workspace;

/// A program of the system and the Debian package that brings it. A path with `*` is looked for as it stands, one folder
/// a star.
///
/// The C compiler is not here: without it, this very tool could not have been built.
const PROGRAMS: [(&str, &str); 9] = [
    ("git", "git"),
    ("node", "nodejs"),
    ("npm", "npm"),
    // The store's tests count the system calls that make a write durable.
    ("strace", "strace"),
    // The tests start servers of their own from it; Debian keeps the programs out of PATH.
    ("/usr/lib/postgresql/*/bin/initdb", "postgresql"),
    // The PostgreSQL driver is tested through it.
    ("pgbouncer", "pgbouncer"),
    // A session bus and a keyring of the tests' own, and another program that reads what is kept there.
    ("dbus-daemon", "dbus"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("secret-tool", "libsecret-tools"),
];

/// What the gate can do without, and says so: what counts instructions, and what reads metrics.
const BETTER_WITH: [(&str, &str); 2] = [("valgrind", "valgrind"), ("promtool", "prometheus")];

/// The oldest Node on which the contracts' linter and the front end's tools run.
const NODE_MIN: u32 = 20;

/// Checks the toolchain's parts, and installs missing system packages when it is root.
pub(super) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    for part in ["fmt", "clippy"] {
        let mut command = cargo::command(workspace.root());
        command.args([part, "--version"]);
        let found = command.output().is_ok_and(|output| output.status.success());
        let component = if part == "fmt" { "rustfmt" } else { "clippy" };
        anyhow::ensure!(found, "cargo {part} is missing; run: rustup component add {component}");
    }

    let missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !is_installed(program)).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        install_if_root(&missing)?;
    }

    for (program, package) in BETTER_WITH {
        if !is_installed(program) && is_root() && is_installed("apt-get") {
            println!("installing {package}");
            if let Err(error) = install(&[package]) {
                println!("could not install {package}: {error:#}");
            }
        }
    }

    let version = Command::new("node").arg("--version").output().context("node could not be started")?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    anyhow::ensure!(
        major_version(&version).is_some_and(|major| major >= NODE_MIN),
        "node is {version}, and {NODE_MIN} or newer is needed"
    );
    Ok(())
}

fn is_installed(program: &str) -> bool {
    if let Some((folder, rest)) = program.split_once("*/") {
        let Ok(entries) = std::fs::read_dir(folder) else { return false };
        return entries.flatten().any(|entry| entry.path().join(rest).is_file());
    }
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The owner of this process's own entry: there is no safe call for the user id in the standard library.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|entry| entry.uid() == 0)
}

/// Installs system packages where that is possible.
pub(super) fn install_if_root(packages: &[&str]) -> anyhow::Result<()> {
    let names = packages.join(" ");
    anyhow::ensure!(
        is_root() && is_installed("apt-get"),
        "system packages are missing; run: sudo apt-get install {names}"
    );
    println!("installing {names}");
    install(packages).with_context(|| format!("could not install {names}"))
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends"]] {
        let mut command = Command::new("apt-get");
        command
            .arg("--quiet=2")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // As in single-user mode: a package's own service is not started, the tests start what they need.
            .env("RUNLEVEL", "1")
            .stdin(Stdio::null());
        if arguments[0] == "install" {
            command.args(packages);
        }
        quietly(command)?;
    }
    Ok(())
}

/// `v20.20.2` → 20
fn major_version(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(major_version("v20.20.2"), Some(20));
        assert_eq!(major_version("v8.0.0"), Some(8));
        assert_eq!(major_version("20"), None);
        assert_eq!(major_version(""), None);
    }

    #[test]
    fn a_program_that_nobody_has_is_missing() {
        assert!(is_installed("sh"));
        assert!(!is_installed("querybox-has-no-such-program"));
        assert!(is_installed("/proc/*/stat"));
        assert!(!is_installed("/proc/*/querybox-has-no-such-file"));
        assert!(!is_installed("/querybox/has/no/such/*/folder"));
    }
}
