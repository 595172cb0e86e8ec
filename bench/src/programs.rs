//! Where the built programs lie.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use querybox_fixtures::{Folder, User, copy_program, is_root, ordinary_user};

/// The folder that cargo put the programs in.
#[derive(Debug, Clone)]
pub struct Programs {
    built: PathBuf,
}

impl Programs {
    /// The programs in this folder, which are not looked at yet.
    #[must_use]
    pub fn in_folder(built: PathBuf) -> Self {
        Self { built }
    }

    /// One that was built.
    ///
    /// # Errors
    ///
    /// It was not.
    pub fn find(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.built.join(name);
        ensure!(path.is_file(), "{} is not built; `cargo xtask` builds it", path.display());
        Ok(path)
    }

    /// Copies programs to where they find each other as they do when QueryBox is installed: drivers in `plugins`, all else
    /// beside that folder.
    ///
    /// # Errors
    ///
    /// One was not built, or what the system says.
    pub fn install(&self, names: &[&str], folder: &Folder) -> anyhow::Result<()> {
        let plugins = folder.path().join("plugins");
        if !plugins.is_dir() {
            folder.add_folder("plugins", owner(), 0o755)?;
        }
        for name in names {
            let is_driver = name.starts_with("querybox-driver-") || *name == "querybox-bench-driver";
            let place = if is_driver { plugins.as_path() } else { folder.path() };
            self.put(name, place)?;
        }
        Ok(())
    }

    fn put(&self, name: &str, folder: &Path) -> anyhow::Result<()> {
        copy_program(&self.find(name)?, folder).with_context(|| format!("cannot copy {name}"))?;
        Ok(())
    }
}

/// Who installed the programs: the jail believes no file that a stranger could change.
pub(crate) fn owner() -> User {
    if is_root() { User { uid: 0, gid: 0 } } else { ordinary_user() }
}
