//! The program that a key command runs under, so that nothing of the command outlives QueryBox.
//!
//! A program that dies cannot end what it started. So QueryBox starts itself a second time, in a process group of its own, and
//! that one starts the command: it holds the reading end of a pipe into which nobody ever writes, and when that pipe has no
//! writer any more, for whatever reason, it ends the whole group.

use std::{
    env,
    ffi::OsString,
    io::{self, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, ExitCode, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread,
};

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process_group};

/// The argument by which the program knows that it is to be the guard.
const GUARD: &str = "__guard-key-command";

/// The program itself, also when another file lies at its path by now.
pub(super) const MYSELF: &str = "/proc/self/exe";

/// Groups that run. A number stands here only while it cannot have become that of another group.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Is the guard, when that is what the program was started for.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    (arguments.next()? == GUARD).then(|| guard(arguments))
}

/// Ends the commands that run now.
pub(crate) fn end_all() {
    for group in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        kill_process_group(*group, Signal::KILL).ok();
    }
}

/// What the guard says of the command when it has ended, in a line.
#[derive(Debug)]
pub(super) enum Ending {
    NotStarted(io::Error),
    Ended(ExitStatus),
}

impl Ending {
    fn line(&self) -> String {
        match self {
            Ending::NotStarted(error) => {
                format!("not started {}\n", error.raw_os_error().unwrap_or_default())
            }
            Ending::Ended(status) => format!("ended {}\n", status.into_raw()),
        }
    }

    /// `None`: the guard was ended before it could say so.
    pub(super) fn parse(line: &str) -> Option<Ending> {
        let (what, number) = line.strip_suffix('\n')?.rsplit_once(' ')?;
        let number = number.parse().ok()?;
        match what {
            "not started" => Some(Ending::NotStarted(io::Error::from_raw_os_error(number))),
            "ended" => Some(Ending::Ended(ExitStatus::from_raw(number))),
            _ => None,
        }
    }
}

fn guard(words: impl Iterator<Item = OsString>) -> ExitCode {
    // Nobody but QueryBox starts it so, and anybody else's group is not to be ended.
    if getpgrp() != getpid() {
        return ExitCode::FAILURE;
    }
    let ending = watch().and_then(|()| run(words)).unwrap_or_else(Ending::NotStarted);
    // Where nobody reads it, nobody is there.
    let _ = io::stderr().write_all(ending.line().as_bytes());
    ExitCode::SUCCESS
}

/// Ends the group, this process with it, when QueryBox is gone.
fn watch() -> io::Result<()> {
    let watching = || {
        // It never says anything, so that whatever comes is its end.
        let _ = io::stdin().read(&mut [0]);
        let _ = kill_process_group(getpid(), Signal::KILL);
    };
    thread::Builder::new().spawn(watching).map(drop)
}

fn run(mut words: impl Iterator<Item = OsString>) -> io::Result<Ending> {
    let program = words.next().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    // Its standard output is the guard's own.
    let mut child = command.args(words).stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
    child.wait().map(Ending::Ended)
}

/// A command under its guard. Dropping it ends both, and whatever else is in their group.
pub(super) struct Guarded {
    guard: Child,
    group: Pid,
}

/// Starts a command without these variables. It gets no input, and what it says on standard error is lost.
///
/// `program` is QueryBox.
pub(super) fn start(program: &Path, words: &[OsString], hidden: &[&str]) -> io::Result<Guarded> {
    let mut command = Command::new(program);
    command
        .arg0("querybox")
        .arg(GUARD)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    for variable in hidden {
        command.env_remove(variable);
    }
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let guard = command.spawn()?;
    let group = Pid::from_child(&guard);
    running.push(group);
    Ok(Guarded { guard, group })
}

impl Guarded {
    /// What the command prints.
    pub(super) fn output(&self) -> &ChildStdout {
        self.guard.stdout.as_ref().expect("its standard output is a pipe")
    }

    /// Has something to say, or is at its end, when the command has ended.
    pub(super) fn report(&self) -> &ChildStderr {
        self.guard.stderr.as_ref().expect("its standard error is a pipe")
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        // The guard was not waited for yet, so that the number is still that of its group.
        kill_process_group(self.group, Signal::KILL).ok();
        running.retain(|group| *group != self.group);
        drop(running);
        self.guard.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_read_back() {
        for raw in [0, 3 << 8, 9] {
            let line = Ending::Ended(ExitStatus::from_raw(raw)).line();
            assert!(matches!(Ending::parse(&line), Some(Ending::Ended(status)) if status.into_raw() == raw));
        }
        let line = Ending::NotStarted(io::Error::from_raw_os_error(2)).line();
        assert!(
            matches!(Ending::parse(&line), Some(Ending::NotStarted(error)) if error.raw_os_error() == Some(2))
        );
        for line in ["", "ended 0", "ended\n", "ended x\n", "0\n"] {
            assert!(Ending::parse(line).is_none(), "{line:?}");
        }
    }
}
