//! A key that a program prints: the way to secret managers of all kinds.

use std::{
    ffi::OsString,
    fmt, io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use querybox_vault::Secret;

use super::{
    guard::{self, Ending},
    reading::{self, ReadError, TIME_MAX},
};
use crate::failure::describe;

/// Why a command gave no key. What it prints is never told: the key may be in it.
#[derive(Debug)]
pub(super) enum CommandError {
    Start(io::Error),
    Read(ReadError),
    Failed(ExitStatus),
    /// By QueryBox itself, or by somebody who also ended its guard.
    Ended,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Start(error) => write!(f, "it cannot be started: {}", describe(error)),
            CommandError::Read(ReadError::TooLong) => {
                write!(f, "it prints more than {} KiB", reading::BYTES_MAX / 1024)
            }
            CommandError::Read(ReadError::System(errno)) => {
                write!(f, "its output cannot be read: {}", describe(&(*errno).into()))
            }
            CommandError::Read(ReadError::TooLate) => {
                write!(f, "it takes longer than {} s", TIME_MAX.as_secs())
            }
            CommandError::Failed(status) => match (status.code(), status.signal()) {
                (Some(code), _) => write!(f, "it failed with status {code}"),
                (None, signal) => write!(f, "it was ended by signal {}", signal.unwrap_or_default()),
            },
            CommandError::Ended => f.write_str("it was ended before it had printed the key"),
        }
    }
}

/// Runs a program and answers with what it printed. It gets this process's environment but for the variables named here, no
/// input, and no way to print anything else. What it has started by then is ended with it.
pub(super) fn run(words: &[OsString], hidden: &[&str]) -> Result<Secret, CommandError> {
    run_within(Path::new(guard::MYSELF), words, hidden, TIME_MAX)
}

fn run_within(
    program: &Path,
    words: &[OsString],
    hidden: &[&str],
    max: Duration,
) -> Result<Secret, CommandError> {
    let deadline = Instant::now() + max;
    let running = guard::start(program, words, hidden).map_err(CommandError::Start)?;
    // A program of its own that it left behind may hold its output open.
    let text =
        reading::to_end_or_over(running.output(), running.report(), deadline).map_err(CommandError::Read)?;
    let report = reading::to_end(running.report(), deadline).map_err(CommandError::Read)?;
    match report.expose_text().ok().and_then(Ending::parse) {
        Some(Ending::Ended(status)) if status.success() => Ok(text),
        Some(Ending::Ended(status)) => Err(CommandError::Failed(status)),
        Some(Ending::NotStarted(error)) => Err(CommandError::Start(error)),
        None => Err(CommandError::Ended),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use super::*;

    fn run(words: &[OsString], hidden: &[&str], max: Duration) -> Result<Secret, String> {
        let program = querybox_fixtures::program("querybox");
        run_within(&program, words, hidden, max).map_err(|error| error.to_string())
    }

    fn shell(script: &str, max: Duration) -> Result<Secret, String> {
        run(&["/bin/sh", "-c", script].map(OsString::from), &["PATH"], max)
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn what_a_program_prints_is_read() {
        assert_eq!(shell("echo key; echo noise >&2", LONG).unwrap().expose(), b"key\n");
        assert_eq!(shell("/usr/bin/env | /usr/bin/grep -c ^PATH=; true", LONG).unwrap().expose(), b"0\n");
    }

    #[test]
    fn a_program_that_fails_gives_nothing_and_is_not_quoted() {
        let told = |script| shell(script, LONG).unwrap_err();
        assert_eq!(told("echo canary; echo canary >&2; exit 3"), "it failed with status 3");
        assert_eq!(told("echo canary; kill -9 $$"), "it was ended by signal 9");
        assert_eq!(told("/usr/bin/yes canary"), "it prints more than 64 KiB");
        // With its guard.
        assert_eq!(told("echo canary; kill -9 0"), "it was ended before it had printed the key");
        let words = ["/no/such/program".into()];
        assert_eq!(run(&words, &[], LONG).unwrap_err(), "it cannot be started: no such file or directory");
    }

    #[test]
    fn there_is_nothing_to_read() {
        assert_eq!(shell("read line || echo end", LONG).unwrap().expose(), b"end\n");
    }

    /// A process that the script below leaves behind, and whose number it wrote there.
    fn left_behind(number: &Path) -> rustix::process::Pid {
        let number = fs::read_to_string(number).unwrap().trim().parse().unwrap();
        rustix::process::Pid::from_raw(number).unwrap()
    }

    fn wait_until_gone(process: rustix::process::Pid) {
        let start = Instant::now();
        // Perhaps it waits to be reaped.
        let stat = format!("/proc/{}/stat", process.as_raw_nonzero());
        while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z")) {
            assert!(start.elapsed() < LONG, "what it started was left running");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let number = folder.path().join("number");
        let script = format!("/bin/sleep 600 & echo $! > {}; /bin/sleep 600", number.display());
        // Output closed, and still running.
        let closed = format!("exec >&-; {script}");
        for script in [&script, &closed] {
            assert_eq!(shell(script, Duration::from_secs(8)).unwrap_err(), "it takes longer than 10 s");
            wait_until_gone(left_behind(&number));
        }
    }

    #[test]
    fn what_it_leaves_behind_is_not_waited_for_and_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let number = folder.path().join("number");
        let script = format!("/bin/sleep 600 & echo $! > {}; echo key", number.display());
        assert_eq!(shell(&script, Duration::from_secs(300)).unwrap().expose(), b"key\n");
        wait_until_gone(left_behind(&number));
    }
}
