//! What `cargo metadata` says about the workspace and all it depends on.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde::Deserialize;

use crate::workspace::Workspace;

/// The answer of `cargo metadata`, as far as this tool reads it.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    /// Our packages and every package of the lock file that they use on any platform.
    pub(crate) packages: Vec<Package>,
    /// Where cargo builds, with CARGO_TARGET_DIR and the configuration respected.
    pub(crate) target_directory: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    /// Absent for our own packages.
    pub(crate) source: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) targets: Vec<Target>,
}

impl Package {
    /// Whether the package is part of this workspace.
    pub(crate) fn is_ours(&self) -> bool {
        self.source.is_none()
    }

    /// Whether the package lies in a folder of the repository: `crates`, `drivers`, `apps`.
    pub(crate) fn lies_in(&self, folder: &str) -> bool {
        self.is_ours() && self.manifest_path.ancestors().nth(2).is_some_and(|parent| parent.ends_with(folder))
    }

    /// The names of the programs it builds.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().filter(|target| target.kind == ["bin"]).map(|target| target.name.as_str())
    }
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<DependencyKind>,
}

impl Dependency {
    /// Whether it becomes part of what is built, and not only of tests.
    pub(crate) fn is_built_in(&self) -> bool {
        self.kind != Some(DependencyKind::Dev)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DependencyKind {
    Dev,
    Build,
}

#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

/// The cargo that runs this tool, to be started in the repository's root.
pub(crate) fn command(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    // Set by the cargo that runs this tool for this package alone; build scripts of others must not see them.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Asks cargo about the workspace. The lock file is not changed.
pub(crate) fn metadata(workspace: &Workspace) -> anyhow::Result<Metadata> {
    let output = command(workspace.root())
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .context("cargo could not be started")?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    serde_json::from_slice(&output.stdout).context("cargo metadata answered something unknown")
}
