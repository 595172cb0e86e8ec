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
    process::Process,
    session::{EXEC_FLOOR, PSQL, PSQL_WRAPPER, QUERY, Turn, WHOLE_FLOOR},
    site::Site,
};

const CONNECTION: &str = "pg";
/// A password as it is typed: with the end of its line.
const PASSWORD_LINE: &str = "p\u{e4}ss w\u{f6}rd\n";

/// The program that does nothing but end, as far as Rust's start-up code lets it.
const NOTHING: &str = "fn main() {}\n";

/// Own floor, psql, psql as it is installed, and `querybox`.
pub(super) fn whole(site: &Arc<Site>, own: &Path, turn: Turn) -> anyhow::Result<Vec<Contender>> {
    debug_assert_eq!(PASSWORD_LINE.trim_end(), Postgres::PASSWORD);
    let port = site.server.port();
    let own = own.to_owned();
    let floor = process(
        WHOLE_FLOOR,
        "the same as a program of its own (this one, dynamically linked)",
        None,
        turn,
        "",
        "",
        move || {
            let mut command = Command::new(&own);
            command.args(["one-query", &port.to_string()]);
            command
        },
    );
    let mut contenders = vec![floor];

    let binary = site.server.programs().join("psql");
    ensure!(binary.is_file(), "{} is missing: install PostgreSQL's client", binary.display());
    let of_binary = "the program psql itself, `-X -A -t -c \"select 1\"`, password in PGPASSWORD";
    contenders.push(psql(PSQL, of_binary, binary, port, turn));
    if is_script(Path::new("/usr/bin/psql")) {
        let of_wrapper = "as above by Debian's /usr/bin/psql, a Perl script that finds and becomes psql";
        contenders.push(psql(PSQL_WRAPPER, of_wrapper, "/usr/bin/psql".into(), port, turn));
    }

    let program = site.folder().path().join("querybox");
    let home = site.folder().path().join("home");
    save_connection(&program, &home, port)?;
    contenders.push(process(
        QUERY,
        "the whole program: store, Core, driver probed and spawned in the jail, log-in, answer, history, end",
        Some(WHOLE_FLOOR),
        turn,
        PASSWORD_LINE,
        "?column?\n1\n",
        move || {
            let mut command = querybox(&program, &home);
            command.args(["query", CONNECTION, "select 1", "--format", "csv", "--password-stdin"]);
            command
        },
    ));
    Ok(contenders)
}

/// Starts a static program that ends at once.
pub(super) fn fork_exec(folder: &Path, turn: Turn) -> anyhow::Result<Contender> {
    let program = compile_nothing(folder)?;
    Ok(process(
        EXEC_FLOOR,
        "`fn main() {}` by rustc with crt-static (glibc, no interpreter), started by posix_spawn and waited for",
        None,
        turn,
        "",
        "",
        move || Command::new(&program),
    ))
}

fn process(
    name: &'static str,
    what: &str,
    floor: Option<&'static str>,
    turn: Turn,
    input: &'static str,
    answers: &'static str,
    command: impl Fn() -> Command + Send + Sync + 'static,
) -> Contender {
    let run = Process { command: Box::new(command), input, answers, times: turn.processes };
    Contender { name, what: what.to_owned(), unit: Unit::Seconds, floor, run: Box::new(run) }
}

fn psql(name: &'static str, what: &str, program: PathBuf, port: u16, turn: Turn) -> Contender {
    process(name, what, Some(WHOLE_FLOOR), turn, "", "1\n", move || {
        let mut command = Command::new(&program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("PGPASSWORD", Postgres::PASSWORD)
            .args(["-X", "-A", "-t", "-h", Postgres::HOST, "-U", Postgres::USER, "-d", Postgres::DATABASE])
            .args(["-p", &port.to_string(), "-c", "select 1"]);
        command
    })
}

fn is_script(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"#!"))
}

fn querybox(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8").env("QUERYBOX_HOME", home);
    command
}

/// The program's own connections, beside those of the Core in this process. The sample counts as made and removed.
fn save_connection(program: &Path, home: &Path, port: u16) -> anyhow::Result<()> {
    fs::create_dir(home)?;
    fs::write(home.join("sample.made"), "removed by a bench\n")?;
    let url = format!("postgres://{}@{}:{port}/{}", Postgres::USER, Postgres::HOST, Postgres::DATABASE);
    let output = querybox(program, home).args(["connections", "add", CONNECTION, &url]).output()?;
    ensure!(output.status.success(), "no connection: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
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
    // A program that needs an interpreter names it.
    let names_interpreter = fs::read(&program)?.windows(8).any(|bytes| bytes == b"ld-linux");
    ensure!(!names_interpreter, "{} is linked dynamically", program.display());
    Ok(program)
}
