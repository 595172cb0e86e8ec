//! psql, which takes SIGINT for a cancel, and goes on after it at a terminal only.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::ensure;
use futures::future::BoxFuture;
use querybox_fixtures::Postgres;
use rustix::{
    event::{PollFd, PollFlags, poll},
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
/// Who needs longer for one step is not working.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at whether it works.
const LOOK: Duration = Duration::from_millis(5);

/// How it reads a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fetch {
    /// All of it before it shows any.
    Whole,
    /// By a cursor.
    Pieces,
}

pub(super) fn run(hops: &Arc<Hops>, what: What, fetch: Fetch, times: usize) -> anyhow::Result<Box<dyn Run>> {
    let binary = hops.server.programs().join("psql");
    ensure!(binary.is_file(), "{} is missing: install PostgreSQL's client", binary.display());
    let count = if fetch == Fetch::Pieces { "FETCH_COUNT=10000" } else { "FETCH_COUNT=0" };
    let (input, terminal) = terminal()?;
    let output = BufReader::new(input.try_clone()?);
    let child = Command::new(binary)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("PGPASSWORD", Postgres::PASSWORD)
        .env("PGAPPNAME", NAME)
        .args(["-X", "-n", "-q", "-A", "-t", "-v", count, "-v", "PROMPT1=", "-v", "PROMPT2="])
        // The terminal has no lines, so that any answer would be too long for it.
        .args(["-P", "pager=off"])
        .args(["-h", Postgres::HOST])
        .args(["-U", Postgres::USER, "-d", Postgres::DATABASE, "-p", &hops.server.port().to_string()])
        .stdin(terminal.try_clone()?)
        .stdout(terminal)
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Box::new(Psql { child, input, output, what, fetch, times, hops: Arc::clone(hops) }))
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
    what: What,
    fetch: Fetch,
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
        let begun = Instant::now();
        while self.works_not() {
            ensure!(begun.elapsed() < PATIENCE, "psql does not begin");
            sleep(LOOK);
        }
        sleep(RUNS_FOR);
        let begun = Instant::now();
        kill_process(Pid::from_child(&self.child), Signal::INT)?;
        writeln!(self.input, "\\o\nselect 1;")?;
        self.input.flush()?;
        let mut answer = String::new();
        let is_there = poll(&mut [PollFd::new(&self.input, PollFlags::IN)], Some(&PATIENCE.try_into()?))? > 0;
        ensure!(is_there, "psql does not answer");
        self.output.read_line(&mut answer)?;
        let elapsed = begun.elapsed();
        ensure!(answer == "1\n", "psql answered {answer:?}");
        Ok(Sample::of_time(elapsed))
    }

    /// Before it fetches, it takes no signal for a cancel between two of its statements.
    fn works_not(&self) -> bool {
        let statement = if self.fetch == Fetch::Pieces { "FETCH%" } else { "select%" };
        let busy = format!(
            "select count(*) from pg_stat_activity where application_name = '{NAME}' and state <> 'idle' \
             and query like '{statement}'"
        );
        self.hops.ask(&busy) == "0"
    }
}
