//! Source files: doc headers, sizes, paths of build machines, and libraries that look around.

use std::process::Command;

use anyhow::Context;

use crate::tidy::Finding;
use crate::workspace::Workspace;

/// A text file of the repository.
pub(super) struct Source {
    /// From the root, with slashes.
    path: String,
    text: String,
}

/// Above this a file is two files.
const LINES_MAX: usize = 700;
/// Above this a file is worth a look.
const LINES_WARNING: usize = 500;

/// Written by a tool, for a tool.
const GENERATED: &str = "crates/querybox-contracts/src/gen/";

/// Where a library may look at its process: a crate for tests, and the SDK's command line.
const MAY_LOOK_AROUND: [&str; 2] = ["crates/querybox-fixtures/", "crates/querybox-plugin/src/cli.rs"];

/// Functions of `std::env` that read or change what belongs to the process.
const LOOKING_AROUND: [&str; 8] = [
    "env::var",
    "env::args",
    "env::home_dir",
    "env::temp_dir",
    "env::current_dir",
    "env::current_exe",
    "env::set_var",
    "env::remove_var",
];

/// A person who has a home folder in examples and tests, and nowhere else.
const INVENTED: &str = "ada";

/// Reads what git tracks and what it would track.
pub(super) fn read(workspace: &Workspace) -> anyhow::Result<Vec<Source>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .current_dir(workspace.root())
        .output()
        .context("git could not be started")?;
    anyhow::ensure!(
        output.status.success(),
        "git ls-files failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let mut sources = Vec::new();
    for path in String::from_utf8(output.stdout).context("a file name is not UTF-8")?.split_terminator('\0') {
        let file = workspace.path(path);
        // A file that was deleted and not yet committed is still listed.
        if !file.is_file() {
            continue;
        }
        // Binary files have no text to check.
        if let Ok(text) =
            String::from_utf8(std::fs::read(&file).with_context(|| format!("cannot read {path}"))?)
        {
            sources.push(Source { path: path.to_owned(), text });
        }
    }
    Ok(sources)
}

/// Finds what is wrong in the files.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let rules = [check_header, check_size, check_paths, check_looking_around, check_module_names];
    sources.iter().flat_map(|source| rules.iter().flat_map(|rule| rule(source))).collect()
}

/// Files that grow too large.
pub(super) fn warnings(sources: &[Source]) -> Vec<Finding> {
    let large =
        |source: &&Source| source.is_our_rust() && (LINES_WARNING + 1..=LINES_MAX).contains(&source.lines());
    sources
        .iter()
        .filter(large)
        .map(|source| Finding::new(&source.path, format!("has {} lines; is it one idea?", source.lines())))
        .collect()
}

impl Source {
    fn is_our_rust(&self) -> bool {
        self.path.ends_with(".rs") && !self.path.starts_with(GENERATED)
    }

    fn lines(&self) -> usize {
        self.text.lines().count()
    }

    fn finding(&self, line: usize, why: impl Into<String>) -> Finding {
        Finding::new(format!("{}:{line}", self.path), why)
    }
}

/// The first page of a crate says what it is for.
fn check_header(source: &Source) -> Vec<Finding> {
    let mut parts = source.path.split('/').rev();
    let (file, folder, package) = (parts.next(), parts.next(), parts.next());
    if !matches!((file, folder), (Some("lib.rs" | "main.rs"), Some("src"))) || package.is_none() {
        return Vec::new();
    }
    let first = source.text.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("//!").unwrap_or_default();
    if sentence.split_whitespace().count() >= 3 {
        return Vec::new();
    }
    vec![source.finding(1, "does not begin with a `//!` sentence that says what the crate is for")]
}

fn check_size(source: &Source) -> Vec<Finding> {
    if !source.is_our_rust() || source.lines() <= LINES_MAX {
        return Vec::new();
    }
    let why = format!("has {} lines; above {LINES_MAX} a file is two files", source.lines());
    vec![Finding::new(&source.path, why)]
}

/// A path of the machine that somebody worked on works on no other.
fn check_paths(source: &Source) -> Vec<Finding> {
    // In pieces, so that this file does not find itself.
    let homes = [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/ho", "me/")];
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        for home in homes {
            for (start, _) in line.match_indices(home) {
                let before = line[..start].chars().next_back();
                // A path inside another folder is below something, and `/home/<name>` or `/home/files` names nobody.
                let is_absolute = !before.is_some_and(|c| c.is_alphanumeric() || "_-./~}>".contains(c));
                let below = &line[start + home.len()..];
                let name = below
                    .split(|c: char| !c.is_alphanumeric() && !"_-.".contains(c))
                    .next()
                    .unwrap_or_default();
                let is_somebody = name != INVENTED && below[name.len()..].starts_with('/');
                let names_somebody = home != homes[2] || is_somebody;
                if is_absolute && names_somebody {
                    findings.push(source.finding(
                        number,
                        format!(
                            "names a path of one machine, below {home}; an example lives below {}{INVENTED}/",
                            homes[2]
                        ),
                    ));
                }
            }
        }
    }
    findings
}

/// Libraries get what they need from their caller; apps read flags, environment and files.
fn check_looking_around(source: &Source) -> Vec<Finding> {
    let is_library = source.path.starts_with("crates/")
        && source.path.contains("/src/")
        && source.path.ends_with(".rs")
        && !source.path.ends_with("/src/main.rs")
        && !source.path.contains("/src/bin/");
    if !is_library || MAY_LOOK_AROUND.iter().any(|start| source.path.starts_with(start)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        // A file's tests are its last part.
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        if let Some(function) = LOOKING_AROUND.iter().find(|function| code.contains(**function)) {
            findings.push(
                source
                    .finding(number, format!("a library calls {function}; let its caller hand it the value")),
            );
        }
        if code.contains("use std::env::") {
            findings.push(source.finding(number, "write `env::…` at the call, so that it can be seen"));
        }
    }
    findings
}

fn check_module_names(source: &Source) -> Vec<Finding> {
    if source.path.ends_with("/mod.rs") {
        return vec![Finding::new(
            &source.path,
            "is a mod.rs; a module is `name.rs` beside the folder `name`",
        )];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: impl Into<String>) -> Source {
        Source { path: path.to_owned(), text: text.into() }
    }

    /// The places where a file with this path and text breaks a rule.
    fn places(path: &str, text: impl Into<String>) -> Vec<String> {
        check(&[source(path, text)]).into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn a_crate_without_a_first_sentence_is_found() {
        for text in ["", "//! .\n", "//! Things.\n", "use std::fs;\n", "// Keeps results outside memory.\n"] {
            assert_eq!(places("crates/demo/src/lib.rs", text), ["crates/demo/src/lib.rs:1"], "{text}");
        }
        assert_eq!(places("drivers/demo/src/main.rs", "fn main() {}\n").len(), 1);
        assert_eq!(places("crates/demo/src/lib.rs", "//! Keeps results outside memory.\n"), [""; 0]);
        assert_eq!(places("crates/demo/src/other.rs", "fn main() {}\n"), [""; 0]);
    }

    #[test]
    fn a_long_file_is_found_and_a_longish_one_is_warned_about() {
        let lines = |count| "x\n".repeat(count);
        assert_eq!(places("crates/demo/src/a.rs", lines(701)), ["crates/demo/src/a.rs"]);
        assert_eq!(places("crates/demo/src/a.rs", lines(700)), [""; 0]);
        assert_eq!(places(&format!("{GENERATED}a.rs"), lines(5000)), [""; 0]);
        assert_eq!(places("docs/long.md", lines(5000)), [""; 0]);
        let warned = |count| warnings(&[source("crates/demo/src/a.rs", lines(count))]).len();
        assert_eq!([warned(500), warned(501), warned(700), warned(701)], [0, 1, 1, 0]);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for path in [
            concat!("/ro", "ot/.cargo"),
            concat!("see (/wo", "rk/main)"),
            concat!("file:\"/ho", "me/alice/x\""),
            concat!("/ho", "me/1/x"),
        ] {
            assert_eq!(places("docs/a.md", format!("fine\n{path}\n")), ["docs/a.md:2"], "{path}");
        }
        for path in [
            concat!("a/wo", "rk/b"),
            concat!("./wo", "rk/"),
            concat!("/ho", "me/<name>/x"),
            concat!("/ho", "me/…"),
            concat!("/ho", "me/ada/shop.db"),
            concat!("/ho", "me/files\", "),
            concat!("<folder>/ho", "me/files/x"),
            concat!("/ro", "ot and /ho", "me"),
        ] {
            assert_eq!(places("docs/a.md", path), [""; 0], "{path}");
        }
    }

    #[test]
    fn a_library_that_looks_around_is_found() {
        let code =
            "use std::env;\nfn f() {\n    let x = env::var(\"A\");\n    let y = std::env::args_os();\n}\n";
        let path = "crates/querybox-core/src/a.rs";
        assert_eq!(places(path, code), [format!("{path}:3"), format!("{path}:4")]);
        assert_eq!(places(path, "use std::env::var;\n"), vec![format!("{path}:1"); 2]);
        assert_eq!(places(path, "use std::env::{self, args};\n"), [format!("{path}:1")]);

        assert_eq!(places(path, "// env::var is for apps\nlet arch = std::env::consts::ARCH;\n"), [""; 0]);
        assert_eq!(places(path, format!("#[cfg(test)]\nmod tests {{\n{code}}}\n")), [""; 0]);
        let header = "//! A program of its own.\n";
        assert_eq!(places("crates/querybox-jail/src/main.rs", format!("{header}{code}")), [""; 0]);
        assert_eq!(places("crates/querybox-fixtures/src/a.rs", code), [""; 0]);
        assert_eq!(places("crates/querybox-plugin/src/cli.rs", code), [""; 0]);
        assert_eq!(places("crates/querybox-plugin/src/driver.rs", code).len(), 2);
        assert_eq!(places("crates/querybox-core/tests/it/main.rs", code), [""; 0]);
        assert_eq!(places("apps/querybox/src/config.rs", code), [""; 0]);
    }

    #[test]
    fn a_mod_rs_is_found() {
        assert_eq!(places("crates/demo/src/a/mod.rs", ""), ["crates/demo/src/a/mod.rs"]);
    }
}
