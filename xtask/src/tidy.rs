//! `tidy`: what a machine can check of the design and the style.
//!
//! Each rule is a function from plain input to findings, so that its tests can show it an input that must fail.

mod edges;
mod licenses;
mod manifests;
mod sources;

use crate::cargo;
use crate::workspace::Workspace;

/// One thing that is wrong: where, and why.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    place: String,
    why: String,
}

impl Finding {
    fn new(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self { place: place.into(), why: why.into() }
    }
}

/// Checks the whole repository.
///
/// # Errors
///
/// When a rule is broken. Each finding was printed before.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let metadata = cargo::metadata(workspace)?;
    let sources = sources::read(workspace)?;

    let mut findings = edges::check(&metadata.packages);
    findings.extend(licenses::check(&metadata.packages));
    findings.extend(manifests::check_reasons(&std::fs::read_to_string(workspace.path("Cargo.toml"))?));
    for package in metadata.packages.iter().filter(|package| package.is_ours()) {
        findings.extend(manifests::check_versions(
            &package.name,
            &std::fs::read_to_string(&package.manifest_path)?,
        )?);
    }
    findings.extend(sources::check(&sources));

    for warning in sources::warnings(&sources) {
        println!("warning: {}: {}", warning.place, warning.why);
    }
    for finding in &findings {
        println!("error: {}: {}", finding.place, finding.why);
    }
    anyhow::ensure!(findings.is_empty(), "tidy found {} broken rules", findings.len());
    Ok(())
}
