//! Profiles as files, and with what makes figures worth something: the machine, the build, the moment.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::{Profile, table};
use crate::machine::Machine;

const FILE: &str = "profile.json";

/// Whole tables, hop by hop, of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profiles {
    pub machine: Machine,
    pub tables: Vec<Profile>,
}

impl Profiles {
    /// As Markdown, which is also what the terminal shows.
    #[must_use]
    pub fn render(&self) -> String {
        let machine: String = self.machine.to_string().lines().map(|line| format!("{line}  \n")).collect();
        format!("{machine}\n{}", table::render(&self.tables))
    }

    /// Writes them into a folder, as JSON and as Markdown.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        fs::write(folder.join("profile.md"), self.render())?;
        Ok(fs::write(folder.join(FILE), serde_json::to_string(self)?)?)
    }

    /// Reads them again.
    ///
    /// # Errors
    ///
    /// They are not there, or of an earlier form.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let profiles: Self =
            serde_json::from_slice(&text).with_context(|| format!("{} is no profile", path.display()))?;
        ensure!(!profiles.tables.is_empty(), "{} is of no table", path.display());
        Ok(profiles)
    }
}
