//! Puts the built programs where they find each other: `bin/`, with the drivers in `bin/plugins/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cargo::{self, Package};
use crate::workspace::Workspace;

/// The program that people start, and the one beside it that confines drivers.
const PROGRAMS: [&str; 2] = ["querybox", "querybox-jail"];
/// What the drivers' programs begin with.
const DRIVER: &str = "querybox-driver-";
/// A driver for tests only: it hangs, floods and lies.
const MISBEHAVING: &str = "querybox-driver-misbehaving";

/// Puts what the last `cargo build` made into `bin/`, and answers that folder.
///
/// A driver that does not exist any more leaves `bin/plugins/`.
pub(crate) fn stage(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    stage_into(workspace, "debug", workspace.path("bin"))
}

/// Puts what cargo made of a profile, by its folder's name, into a folder as into `bin/`, and answers that folder.
pub(crate) fn stage_into(workspace: &Workspace, profile: &str, bin: PathBuf) -> anyhow::Result<PathBuf> {
    let metadata = cargo::metadata(workspace)?;
    let built = metadata.target_directory.join(profile);
    let plugins = bin.join("plugins");
    fs::create_dir_all(&plugins).with_context(|| format!("cannot make {}", plugins.display()))?;

    let places = places(&metadata.packages);
    for old in fs::read_dir(&plugins)? {
        let old = old?.path();
        let name = old.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(DRIVER) && !places.contains(&format!("plugins/{name}")) {
            fs::remove_file(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    for place in &places {
        let name = place.rsplit('/').next().unwrap_or(place);
        put(&built.join(name), &bin.join(place))?;
    }
    Ok(bin)
}

/// Where each program goes, below `bin`.
fn places(packages: &[Package]) -> Vec<String> {
    let mut places: Vec<String> = packages
        .iter()
        .filter(|package| package.is_ours())
        .flat_map(Package::programs)
        .filter_map(|name| match name {
            MISBEHAVING => None,
            driver if driver.starts_with(DRIVER) => Some(format!("plugins/{driver}")),
            program if PROGRAMS.contains(&program) => Some(program.to_owned()),
            _ => None,
        })
        .collect();
    places.sort();
    places
}

/// Links one file, or copies it where the target folder lies on another disk.
fn put(from: &Path, to: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(from.is_file(), "{} was not built", from.display());
    // Removed, not written over: a program that runs keeps the file it was started from.
    remove_if_there(to)?;
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, kind: &str) -> Package {
        let text = format!(
            r#"{{"name":"{name}","version":"1.0.0","license":"MIT","source":null,"dependencies":[],
                "manifest_path":"/repository/x/{name}/Cargo.toml",
                "targets":[{{"name":"{name}","kind":["{kind}"]}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn programs_and_drivers_have_their_places_and_test_drivers_have_none() {
        let packages = [
            package("querybox", "bin"),
            package("querybox-jail", "bin"),
            package("querybox-jail", "lib"),
            package("querybox-driver-sqlite", "bin"),
            package("querybox-driver-misbehaving", "bin"),
            package("xtask", "bin"),
        ];
        assert_eq!(places(&packages), ["plugins/querybox-driver-sqlite", "querybox", "querybox-jail"]);
    }

    #[test]
    fn a_program_is_replaced_twice_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("built"), folder.path().join("bin"));
        fs::create_dir(&to).unwrap();
        let to = to.join("querybox");
        for text in ["first", "second"] {
            // As cargo does: a new file, not a new text in the old one.
            remove_if_there(&from).unwrap();
            fs::write(&from, text).unwrap();
            put(&from, &to).unwrap();
            put(&from, &to).unwrap();
            assert_eq!(fs::read_to_string(&to).unwrap(), text);
        }
        assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_program_that_was_not_built_is_named() {
        let error = put(Path::new("/nonexistent/querybox"), Path::new("/nonexistent/to")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/querybox was not built"), "{error}");
    }
}
