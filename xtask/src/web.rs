//! `web/`: the front end, by its own tools. What is built lies in `web/dist`, which the server embeds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context;

use crate::workspace::Workspace;

const FOLDER: &str = "web";
/// The page: the last file of a build that everything else hangs on.
const BUILT: &str = "dist/ui/index.html";
/// Where systems have Chromium, or what is made of it.
const BROWSERS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/// What a build is made of, below the repository.
const SOURCES: [&str; 10] = [
    "contracts/core",
    "contracts/plugin",
    "web/src",
    "web/public",
    "web/proto",
    "web/index.html",
    "web/package-lock.json",
    "web/vite.config.ts",
    "web/buf.gen.yaml",
    "web/codegen.mjs",
];

/// Installs what the lock file pins, unless it is installed.
pub(crate) fn install(workspace: &Workspace) -> anyhow::Result<()> {
    let folder = workspace.path(FOLDER);
    let lock = fs::read(folder.join("package-lock.json"))?;
    // The lock file of the last installation; with the same one no network is needed.
    let stamp = folder.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // Nothing of what is installed needs a script of its own.
    run(npm(workspace, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    fs::write(stamp, lock)?;
    Ok(())
}

/// Writes the code of the contracts, which lies in no commit and so can never differ from them.
pub(crate) fn codegen(workspace: &Workspace) -> anyhow::Result<()> {
    run(npm(workspace, &["run", "--silent", "codegen"]))
}

/// Checks types, and what the linter knows.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    run(npm(workspace, &["run", "--silent", "check"]))?;
    run(npm(workspace, &["run", "--silent", "lint"]))
}

/// Runs the unit tests, which need no browser.
pub(crate) fn tests(workspace: &Workspace) -> Command {
    let mut command = npm(workspace, &["run", "--silent", "test"]);
    command.env("NO_COLOR", "1");
    command
}

/// Drives the built page in a browser, on a server from `bin/`. `None`: no browser is installed that could.
pub(crate) fn flows(workspace: &Workspace) -> Option<Command> {
    in_browser(workspace, "flows")
}

/// Measures the built page in a browser, on the server of this program. `None`: no browser is installed that could.
pub(crate) fn figures(workspace: &Workspace, program: &Path) -> Option<Command> {
    let mut command = in_browser(workspace, "figures")?;
    command.env("QUERYBOX_PROGRAM", program);
    Some(command)
}

fn in_browser(workspace: &Workspace, script: &str) -> Option<Command> {
    let named = std::env::var_os("QUERYBOX_BROWSER").map(PathBuf::from);
    let browser = named.or_else(|| BROWSERS.map(PathBuf::from).into_iter().find(|path| path.is_file()))?;
    let mut command = npm(workspace, &["run", "--silent", script]);
    command
        .env("NO_COLOR", "1")
        .env("QUERYBOX_BROWSER", browser)
        .env_remove("QUERYBOX_PROGRAM")
        .env_remove("QUERYBOX_UI");
    Some(command)
}

/// Builds what the server embeds.
pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<()> {
    run(npm(workspace, &["run", "--silent", "build"]))
}

/// Installs, generates and builds, unless the last build is newer than all that it is made of.
pub(crate) fn build_if_stale(workspace: &Workspace) -> anyhow::Result<()> {
    let built = modified(&workspace.path(FOLDER).join(BUILT));
    let newest = SOURCES.iter().map(|source| newest_in(&workspace.path(source))).max().flatten();
    if built.is_some() && built > newest {
        return Ok(());
    }
    install(workspace)?;
    codegen(workspace)?;
    build(workspace)
}

fn npm(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(workspace.path(FOLDER));
    command
}

/// Runs a command whose output matters only when it fails.
fn run(mut command: Command) -> anyhow::Result<()> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let name = format!("npm {}", words.join(" "));
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        print!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        anyhow::bail!("{name} ended with {}", output.status);
    }
    Ok(())
}

/// When the newest file of a folder, or a file, was changed. What cannot be looked at is left out.
fn newest_in(path: &Path) -> Option<SystemTime> {
    let mut newest = modified(path);
    let mut folders: Vec<PathBuf> = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // Generated code follows from the contracts.
            if entry.file_name() == "gen" {
                continue;
            }
            newest = newest.max(modified(&entry.path()));
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    newest
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_newest_file_is_found_in_any_depth_but_for_generated_code() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        let generated = folder.path().join("gen");
        for made in [&deep, &generated] {
            fs::create_dir_all(made).unwrap();
        }
        let later = SystemTime::now() + Duration::from_secs(3600);
        let set = |path: &Path, time: SystemTime| {
            let file = fs::File::create(path).unwrap();
            file.set_modified(time).unwrap();
        };
        set(&generated.join("x.ts"), later + Duration::from_secs(1));
        assert!(newest_in(folder.path()).unwrap() < later);
        set(&deep.join("x.ts"), later);
        assert_eq!(newest_in(folder.path()), Some(later));
        assert_eq!(newest_in(&folder.path().join("none")), None);
    }
}
