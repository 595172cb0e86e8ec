//! psql, which takes SIGINT for a cancel, and goes on after it at a terminal only.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    os::fd::OwnedFd,
    process::{Child, ChildStderr, Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures::future::BoxFuture;
use querybox_fixtures::Postgres;
use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};

use super::{RUNS_FOR, What};
use crate::{
    frame::{Run, Sample},
    hops::Hops,
};

/// By which its backend is found.
const NAME: &str = "bench psql";
/// Between two looks at whether it works.
const LOOK: Duration = Duration::from_millis(5);

pub(super) fn run(hops: &Arc<Hops>, what: What, times: usize) -> anyhow::Result<Box<dyn Run>> {
    let binary = hops.server.programs().join("psql");
    ensure!(binary.is_file(), "{} is missing: install PostgreSQL's client", binary.display());
    let (input, terminal) = terminal()?;
    let output = BufReader::new(input.try_clone()?);
    let mut child = Command::new(binary)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("PGPASSWORD", Postgres::PASSWORD)
        .env("PGAPPNAME", NAME)
        .args(["-X", "-n", "-q", "-A", "-t", "-v", "FETCH_COUNT=10000", "-v", "PROMPT1=", "-v", "PROMPT2="])
        // The terminal has no lines, so that any answer would be too long for it.
        .args(["-P", "pager=off"])
        .args(["-h", Postgres::HOST])
        .args(["-U", Postgres::USER, "-d", Postgres::DATABASE, "-p", &hops.server.port().to_string()])
        .stdin(terminal.try_clone()?)
        .stdout(terminal)
        .stderr(Stdio::piped())
        .spawn()?;
    let errors = BufReader::new(child.stderr.take().context("a piped child has an error output")?);
    Ok(Box::new(Psql { child, input, output, errors, what, times, hops: Arc::clone(hops) }))
}

/// Both ends of a terminal that neither echoes nor changes anything.
fn terminal() -> anyhow::Result<(File, OwnedFd)> {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&keyboard)?;
    unlockpt(&keyboard)?;
    let path = ptsname(&keyboard, Vec::new())?;
    let terminal = rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
    let mut settings = tcgetattr(&terminal)?;
    settings.make_raw();
    tcsetattr(&terminal, OptionalActions::Now, &settings)?;
    Ok((keyboard.into(), terminal))
}

struct Psql {
    child: Child,
    input: File,
    output: BufReader<File>,
    errors: BufReader<ChildStderr>,
    what: What,
    times: usize,
    hops: Arc<Hops>,
}

impl Drop for Psql {
    fn drop(&mut self) {
        // It waits for its next line, and has ended already if not.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Run for Psql {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may block here.
        Box::pin(async { (0..self.times).map(|_| self.measure()).collect() })
    }
}

impl Psql {
    fn measure(&mut self) -> anyhow::Result<Sample> {
        writeln!(self.input, "\\o /dev/null")?;
        writeln!(self.input, "{};", self.what.sql())?;
        self.input.flush()?;
        while self.works_not() {
            sleep(LOOK);
        }
        sleep(RUNS_FOR);
        let begun = Instant::now();
        kill_process(Pid::from_child(&self.child), Signal::INT)?;
        // What is typed before is lost with the statement.
        let mut error = String::new();
        while !error.contains("canceling statement") {
            error.clear();
            ensure!(self.errors.read_line(&mut error)? > 0, "psql has ended");
        }
        writeln!(self.input, "\\o\nselect 1;")?;
        self.input.flush()?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        let elapsed = begun.elapsed();
        ensure!(answer == "1\n", "psql answered {answer:?}");
        Ok(Sample::of_time(elapsed))
    }

    fn works_not(&self) -> bool {
        let busy = format!(
            "select count(*) from pg_stat_activity where application_name = '{NAME}' and state <> 'idle'"
        );
        self.hops.ask(&busy) == "0"
    }
}
