//! Where this clone lies, and what cargo knows about it.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// A clone of the repository.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the clone that cargo runs this tool for.
    pub(crate) fn find() -> anyhow::Result<Self> {
        // The value at run time comes first: clones may share one target folder, and with it one built xtask.
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest_dir.parent().context("xtask lies at the root of a file system")?;
        anyhow::ensure!(
            root.join("contracts").is_dir(),
            "{} is not a clone of QueryBox: it has no contracts folder",
            root.display()
        );
        Ok(Self { root: root.to_path_buf() })
    }

    /// The repository's root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }
}
