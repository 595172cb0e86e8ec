//! Whole processes: what people type.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use querybox_fixtures::Postgres;

use crate::{
    frame::{Contender, Unit},
    own_program::{CONNECTION, OwnProgram, PASSWORD_LINE},
    process::Process,
    session::{EXEC_FLOOR, PSQL, PSQL_WRAPPER, QUERY, Turn, WHOLE_FLOOR},
    site::Site,
};

/// The program that does nothing but end, as far as Rust's start-up code lets it.
const NOTHING: &str = "fn main() {}\n";

/// Own floor, psql, psql as it is installed, and `querybox`.
pub(super) fn whole(site: &Arc<Site>, own: &Path, turn: Turn) -> anyhow::Result<Vec<Contender>> {
    let port = site.server.port();
    let stage = Stage { own: own.to_owned(), figures: site.folder().path().join("figures"), turn };
    let of_floor = "the same as a program of its own (this one, dynamically linked)";
    let mut contenders = vec![stage.contender(WHOLE_FLOOR, of_floor, None, own, ("", ""), move |command| {
        command.args(["one-query", &port.to_string()]);
    })];

    let binary = site.server.programs().join("psql");
    ensure!(binary.is_file(), "{} is missing: install PostgreSQL's client", binary.display());
    let of_binary = "the program psql itself, `-X -A -t -c \"select 1\"`, password in PGPASSWORD";
    contenders.push(stage.psql(PSQL, of_binary, &binary, port));
    let installed = Path::new("/usr/bin/psql");
    if is_script(installed) {
        let of_wrapper = "as above by Debian's /usr/bin/psql, a Perl script that finds and becomes psql";
        contenders.push(stage.psql(PSQL_WRAPPER, of_wrapper, installed, port));
    }

    let ours = OwnProgram::settle(site.folder().path(), "home", port)?;
    let program = ours.program.clone();
    let of_query =
        "the whole program: store, Core, driver probed and spawned in the jail, log-in, answer, history, end";
    let talk = (PASSWORD_LINE, "?column?\n1\n");
    contenders.push(stage.contender(QUERY, of_query, Some(WHOLE_FLOOR), &program, talk, move |command| {
        ours.furnish(command);
        command.args(["query", CONNECTION, "select 1", "--format", "csv", "--password-stdin"]);
    }));
    Ok(contenders)
}

/// Starts a static program that ends at once.
pub(super) fn fork_exec(folder: &Path, own: &Path, turn: Turn) -> anyhow::Result<Contender> {
    let stage = Stage { own: own.to_owned(), figures: folder.join("figures"), turn };
    let program = compile_nothing(folder)?;
    let what = "`fn main() {}` by rustc with crt-static (glibc, no interpreter), started by posix_spawn and waited for \
                (its memory is that of who started it)";
    Ok(stage.contender(EXEC_FLOOR, what, None, &program, ("", ""), |_| {}))
}

/// What all whole processes have in common.
struct Stage {
    own: PathBuf,
    figures: PathBuf,
    turn: Turn,
}

impl Stage {
    /// `talk` is what the program reads, and what it must answer.
    fn contender(
        &self,
        name: &'static str,
        what: &str,
        floor: Option<&'static str>,
        program: &Path,
        talk: (&'static str, &'static str),
        arrange: impl Fn(&mut Command) + Send + Sync + 'static,
    ) -> Contender {
        let (input, answers) = talk;
        let run = Process {
            own: self.own.clone(),
            program: program.to_owned(),
            arrange: Box::new(arrange),
            input,
            answers: answers.to_owned(),
            figures: self.figures.clone(),
            times: self.turn.processes,
        };
        Contender { name, what: what.to_owned(), unit: Unit::Seconds, floor, run: Box::new(run) }
    }

    fn psql(&self, name: &'static str, what: &str, program: &Path, port: u16) -> Contender {
        self.contender(name, what, Some(WHOLE_FLOOR), program, ("", "1\n"), move |command| {
            command
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("PGPASSWORD", Postgres::PASSWORD)
                .args(["-X", "-A", "-t", "-h", Postgres::HOST, "-U", Postgres::USER])
                .args(["-d", Postgres::DATABASE, "-p", &port.to_string(), "-c", "select 1"]);
        })
    }
}

fn is_script(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"#!"))
}

fn compile_nothing(folder: &Path) -> anyhow::Result<PathBuf> {
    let (source, program) = (folder.join("nothing.rs"), folder.join("nothing"));
    fs::write(&source, NOTHING)?;
    let output = Command::new("rustc")
        .args(["--edition", "2024", "-O", "-C", "target-feature=+crt-static", "-C", "panic=abort", "-o"])
        .args([&program, &source])
        .output()
        .context("rustc could not be started")?;
    ensure!(output.status.success(), "rustc: {}", String::from_utf8_lossy(&output.stderr));
    ensure!(!has_interpreter(&fs::read(&program)?), "{} is linked dynamically", program.display());
    Ok(program)
}

/// Whether a 64-bit ELF file of this machine has a program header PT_INTERP: the kernel then starts the dynamic linker.
fn has_interpreter(file: &[u8]) -> bool {
    const PT_INTERP: usize = 3;
    let number = |at: usize, length: usize| {
        let bytes = file.get(at..at + length).unwrap_or_default();
        bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let (first, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    (0..count).any(|header| number(first + header * size, 4) == PT_INTERP)
}

#[cfg(test)]
mod tests {
    use querybox_fixtures::Folder;

    use super::*;
    use crate::programs::owner;

    #[test]
    fn this_test_has_an_interpreter_and_a_static_program_has_none() {
        assert!(has_interpreter(&fs::read("/proc/self/exe").unwrap()));
        let folder = Folder::make(owner(), 0o700).unwrap();
        let program = compile_nothing(folder.path()).unwrap();
        assert!(!has_interpreter(&fs::read(program).unwrap()));
    }
}
