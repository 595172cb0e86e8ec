//! A report as a file, every sample in it, for later comparison.

use std::{fs, path::Path};

use anyhow::Context as _;

use crate::report::Report;

/// Writes the report as JSON and makes the folder for it.
///
/// # Errors
///
/// What the system says.
pub fn write(report: &Report, path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut text = serde_json::to_string(report).context("a report has no map with odd keys")?;
    text.push('\n');
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
