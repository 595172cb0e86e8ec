//! Manifests: each dependency has a reason, and its version lives in one place.

use anyhow::Context;

use crate::tidy::Finding;

/// Finds dependencies of the root manifest whose group has no comment above it.
///
/// A group is a run of lines; it ends with an empty line.
pub(super) fn check_reasons(root_manifest: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_dependencies = false;
    let mut has_reason = false;
    for (number, line) in (1..).zip(root_manifest.lines()) {
        let line = line.trim();
        if line.starts_with('[') {
            in_dependencies = line == "[workspace.dependencies]";
            has_reason = false;
        } else if line.is_empty() {
            has_reason = false;
        } else if let Some(comment) = line.strip_prefix('#') {
            has_reason = comment.chars().any(char::is_alphabetic);
        } else if in_dependencies
            && !has_reason
            && let Some((name, _)) = line.split_once('=')
        {
            let why = format!("{} has no comment above its group that says why it is here", name.trim());
            findings.push(Finding::new(format!("Cargo.toml:{number}"), why));
        }
    }
    findings
}

/// Finds dependencies of a crate that bring a version of their own.
pub(super) fn check_versions(package: &str, manifest: &str) -> anyhow::Result<Vec<Finding>> {
    let manifest: toml::Table =
        manifest.parse().with_context(|| format!("{package} has an unreadable manifest"))?;
    let platforms =
        manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let tables = std::iter::once(&manifest).chain(platforms.filter_map(toml::Value::as_table));
    let mut findings = Vec::new();
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in table.get(kind).and_then(toml::Value::as_table).into_iter().flatten() {
                let from_workspace = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                // A crate's tests may ask for its own features; that has no version.
                let is_itself =
                    name == package && value.get("path").and_then(toml::Value::as_str) == Some(".");
                if !from_workspace && !is_itself {
                    let why = format!(
                        "{name} is not taken from the workspace; versions live in the root manifest only"
                    );
                    findings.push(Finding::new(package, why));
                }
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let manifest = "
# About the table, not about a group.
[workspace.dependencies]
serde = \"1\"
# Runtime: what it is for.
tokio = \"1\"
bytes = { version = \"1\" }

futures = \"0.3\"
#
http = \"1\"

[workspace.lints.rust]
unsafe_code = \"forbid\"
";
        let places: Vec<String> = check_reasons(manifest).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["Cargo.toml:4", "Cargo.toml:9", "Cargo.toml:11"]);
    }

    #[test]
    fn a_version_outside_the_root_is_found() {
        let manifest = r#"
            [dependencies]
            good = { workspace = true, features = ["x"] }
            plain = "1"
            [dev-dependencies]
            git = { git = "https://example.com/x" }
            demo = { path = ".", features = ["testkit"] }
            [target.'cfg(unix)'.dependencies]
            platform = { version = "1" }
        "#;
        let whys: Vec<String> =
            check_versions("demo", manifest).unwrap().into_iter().map(|f| f.why).collect();
        assert_eq!(whys.len(), 3, "{whys:?}");
        for (why, name) in whys.iter().zip(["plain", "git", "platform"]) {
            assert!(why.starts_with(name), "{why}");
        }
    }
}
