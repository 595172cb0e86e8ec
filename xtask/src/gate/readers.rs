//! Programs of others that read what QueryBox exports and speak its contracts: Python with pyarrow, openpyxl and grpcio.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{machine, quietly};
use crate::cargo;
use crate::workspace::Workspace;

/// Their packages, with hashes.
const REQUIREMENTS: &str = "crates/querybox-results/tests/readers/requirements.txt";

/// A Python of its own under the target folder, which has the packages.
pub(super) struct Readers {
    pub(super) python: PathBuf,
}

impl Readers {
    /// Makes it, unless it is there with the same packages.
    pub(super) fn install(workspace: &Workspace) -> anyhow::Result<Self> {
        let folder = cargo::metadata(workspace)?.target_directory.join("readers");
        let (python, installed) = (folder.join("bin/python"), folder.join("installed.txt"));
        let requirements = workspace.path(REQUIREMENTS);
        let wanted = fs::read_to_string(&requirements)?;
        if fs::read_to_string(&installed).ok().as_deref() != Some(wanted.as_str()) {
            fs::create_dir_all(&folder)?;
            let make = || {
                let mut command = Command::new("python3");
                command.args(["-m", "venv", "--clear"]).arg(&folder);
                command
            };
            // Debian's Python comes without what this takes.
            if quietly(make()).is_err() {
                machine::install_if_root(&["python3", "python3-venv"])?;
                quietly(make())?;
            }
            let mut install = Command::new(&python);
            install.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
            ]);
            install.args(["--only-binary", ":all:", "-r"]).arg(&requirements);
            quietly(install)?;
            fs::write(&installed, wanted)?;
        }
        Ok(Self { python })
    }
}
