//! buf over the contracts.

use std::fs;
use std::process::Command;

use super::quietly;
use crate::workspace::Workspace;

/// Installs the version of buf that the lock file pins, unless it is installed.
pub(super) fn install(workspace: &Workspace) -> anyhow::Result<()> {
    let folder = workspace.path("contracts");
    let lock = fs::read(folder.join("package-lock.json"))?;
    // The lock file of the last installation; with the same one the gate needs no network.
    let stamp = folder.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let mut command = Command::new("npm");
    command.arg("ci").current_dir(&folder);
    quietly(command)?;
    fs::write(stamp, lock)?;
    Ok(())
}

/// Checks the style of the contracts (contracts/buf.yaml names the rules).
pub(super) fn lint(workspace: &Workspace) -> anyhow::Result<()> {
    let folder = workspace.path("contracts");
    let mut command = Command::new(folder.join("node_modules/.bin/buf"));
    command.arg("lint").current_dir(&folder);
    quietly(command)
}

/// Compatibility is owed to releases, and there is none yet.
#[expect(clippy::unnecessary_wraps, reason = "a step of the gate like the others")]
pub(super) fn breaking() -> anyhow::Result<()> {
    println!("     no release yet: nothing can break");
    Ok(())
}
