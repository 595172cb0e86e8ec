//! `run`: builds everything, starts the server, and opens the page.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::workspace::Workspace;
use crate::{cargo, stage, web};

/// The folder in the clone for what QueryBox keeps, so that trying it touches nobody's own connections. Git ignores it.
pub(crate) const HOME: &str = ".home";

/// Builds, stages, serves until it is told to end, and opens a browser where there is one.
///
/// # Errors
///
/// When the build fails, or the server.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    web::build_if_stale(workspace).context("the web interface could not be built")?;
    // The same build as the gate's, so that `run` after `test`, and `test` after `run`, find most of it ready.
    let status = cargo::command(workspace.root()).args(["build", "--workspace"]).status()?;
    anyhow::ensure!(status.success(), "the build failed");
    let bin = stage::stage(workspace)?;
    serve(&bin.join("querybox"), &workspace.path(HOME))
}

fn serve(program: &Path, home: &Path) -> anyhow::Result<()> {
    let mut server = Command::new(program)
        .arg("serve")
        .env("QUERYBOX_HOME", home)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} could not be started", program.display()))?;
    let output = server.stdout.take().context("a piped child has an output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if let Some(link) = link_of(&line) {
            open(link);
            println!("Ctrl-C ends it. `cargo xtask tour` shows the commands instead.");
        }
    }
    let status = server.wait()?;
    anyhow::ensure!(status.success(), "querybox serve ended with {status}");
    Ok(())
}

/// The link in the line that the server prints when it serves.
fn link_of(line: &str) -> Option<&str> {
    line.split_whitespace().find(|word| word.starts_with("http://") && word.contains("/#code="))
}

/// Opens a link where a desktop is. Elsewhere the printed one is to be opened by hand.
fn open(link: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let has_desktop = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if has_desktop {
        // Without it nothing is lost: the link stands above.
        let _ = Command::new(opener).arg(link).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_found_in_what_the_server_says() {
        let line = "QueryBox serves at http://127.0.0.1:8210/#code=a-b_c";
        assert_eq!(link_of(line), Some("http://127.0.0.1:8210/#code=a-b_c"));
        assert_eq!(link_of("http://127.0.0.1:8210/"), None);
    }
}
