//! A key that a program prints: the way to secret managers of all kinds.

use std::{
    ffi::OsString,
    fmt, io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use querybox_vault::Secret;
use rustix::process::{Pid, Signal, kill_process_group};

use super::reading::{self, ReadError, TIME_MAX};
use crate::failure::describe;

/// Why a command gave no key. What it prints is never told: the key may be in it.
#[derive(Debug)]
pub(super) enum CommandError {
    Start(io::Error),
    Read(ReadError),
    TooLate,
    Failed(ExitStatus),
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
            CommandError::Read(ReadError::TooLate) | CommandError::TooLate => {
                write!(f, "it takes longer than {} s", TIME_MAX.as_secs())
            }
            CommandError::Failed(status) => match (status.code(), status.signal()) {
                (Some(code), _) => write!(f, "it failed with status {code}"),
                (None, signal) => write!(f, "it was ended by signal {}", signal.unwrap_or_default()),
            },
        }
    }
}

/// Runs a program and answers with what it printed. It gets this process's environment but for the variables named here, no
/// input, and no way to print anything else.
pub(super) fn run(words: &[OsString], hidden: &[&str]) -> Result<Secret, CommandError> {
    run_within(words, hidden, TIME_MAX)
}

fn run_within(words: &[OsString], hidden: &[&str], max: Duration) -> Result<Secret, CommandError> {
    let deadline = Instant::now() + max;
    let (program, arguments) = words.split_first().expect("a line that was split names a program");
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // What it starts is ended with it.
        .process_group(0);
    for variable in hidden {
        command.env_remove(variable);
    }
    let mut running = Running(command.spawn().map_err(CommandError::Start)?);
    let output = running.0.stdout.take().expect("its standard output is a pipe");
    let text = reading::to_end(output, deadline).map_err(CommandError::Read)?;
    let status = running.wait(deadline)?;
    match status.success() {
        true => Ok(text),
        false => Err(CommandError::Failed(status)),
    }
}

/// A program that is not left running.
struct Running(Child);

impl Running {
    fn wait(&mut self, deadline: Instant) -> Result<ExitStatus, CommandError> {
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return Ok(status),
                // It has closed its output already, so that this is a matter of a moment.
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
                Ok(None) => return Err(CommandError::TooLate),
                Err(error) => return Err(CommandError::Start(error)),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        // Not reaped yet, so that the number is still its own.
        kill_process_group(Pid::from_child(&self.0), Signal::KILL).ok();
        self.0.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, max: Duration) -> Result<Secret, String> {
        let words = ["/bin/sh", "-c", script].map(OsString::from);
        run_within(&words, &["PATH"], max).map_err(|error| error.to_string())
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
        let words = ["/no/such/program".into()];
        let error = run_within(&words, &[], LONG).unwrap_err().to_string();
        assert_eq!(error, "it cannot be started: no such file or directory");
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let script = format!("(sleep 1; touch {}) & sleep 60", mark.display());
        let start = Instant::now();
        assert_eq!(shell(&script, Duration::from_millis(200)).unwrap_err(), "it takes longer than 10 s");
        assert!(start.elapsed() < Duration::from_secs(10));
        // Output closed, and still running.
        let error = shell("exec >&-; sleep 60", Duration::from_millis(200)).unwrap_err();
        assert_eq!(error, "it takes longer than 10 s");
        thread::sleep(Duration::from_millis(1500));
        assert!(!mark.exists(), "what it started was left running");
    }
}
