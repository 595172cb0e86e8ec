//! A report as files: every sample as JSON for later comparison, a page of Markdown, a drawing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::report::{Report, markdown, plot};

/// Writes the report as JSON and makes the folder for it.
///
/// # Errors
///
/// What the system says.
pub fn write(report: &Report, path: &Path) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(report).context("a report has no map with odd keys")?;
    text.push('\n');
    put(path, &text)
}

/// Writes the report into the folder in every form, and answers where the JSON lies.
///
/// # Errors
///
/// What the system says.
pub fn write_all(report: &Report, folder: &Path) -> anyhow::Result<PathBuf> {
    let path = |ending: &str| folder.join(format!("{}.{ending}", report.bench));
    write(report, &path("json"))?;
    put(&path("md"), &markdown::render(report))?;
    if let Some(drawing) = plot::render(report) {
        put(&path("svg"), &drawing)?;
    }
    Ok(path("json"))
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
