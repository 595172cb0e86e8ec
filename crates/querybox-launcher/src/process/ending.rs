//! How a process came to its end.

use std::{fmt, time::Duration};

use querybox_jail::Limits;
use rustix::process::{Signal, WaitIdStatus};

/// The end of a driver's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What ended it.
    pub cause: Cause,
    /// The last it wrote on standard error, at most 16 KiB, made printable. Empty: nothing.
    pub stderr_tail: String,
    /// The most memory that it was seen to have resident; looked at every 50 ms at the least.
    pub memory_peak_bytes: u64,
}

/// What ended a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It ended by itself, with this code.
    Exited(i32),
    /// A signal that we did not send, by its number.
    Signal(i32),
    /// It was killed for it was still there after its deadline, which was set as this long.
    Deadline(Duration),
    /// It was killed, or killed itself, for it wanted more memory than its limit.
    Memory {
        /// The limit.
        limit_bytes: u64,
        /// What it used, or would have used.
        reached_bytes: u64,
    },
    /// The kernel killed it for a file would have grown beyond the limit.
    FileSize {
        /// The limit.
        limit_bytes: u64,
    },
    /// It was killed, for nobody needed it any more or it broke the contract.
    Killed,
}

/// How many processes ended by each cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndingCounts {
    /// By themselves, with code 0.
    pub exited: u64,
    /// By themselves, with another code.
    pub failed: u64,
    /// By a signal that we did not send.
    pub signaled: u64,
    /// See [`Cause::Deadline`].
    pub deadline: u64,
    /// See [`Cause::Memory`].
    pub memory: u64,
    /// See [`Cause::FileSize`].
    pub file_size: u64,
    /// See [`Cause::Killed`].
    pub killed: u64,
}

impl EndingCounts {
    pub(crate) fn add(&mut self, cause: Cause) {
        let count = match cause {
            Cause::Exited(0) => &mut self.exited,
            Cause::Exited(_) => &mut self.failed,
            Cause::Signal(_) => &mut self.signaled,
            Cause::Deadline(_) => &mut self.deadline,
            Cause::Memory { .. } => &mut self.memory,
            Cause::FileSize { .. } => &mut self.file_size,
            Cause::Killed => &mut self.killed,
        };
        *count += 1;
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)?;
        match (self.cause, last_words(&self.stderr_tail)) {
            // Then its last words say the same again.
            (Cause::Memory { .. } | Cause::FileSize { .. }, _) | (_, None) => Ok(()),
            (_, Some(line)) => write!(f, "; its last words: {line}"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "it exited with code {code}"),
            Self::Signal(number) => match signal_name(*number) {
                Some(name) => write!(f, "it was ended by signal {number} ({name})"),
                None => write!(f, "it was ended by signal {number}"),
            },
            Self::Deadline(limit) => write!(f, "it was stopped at the deadline of {limit:?}"),
            Self::Memory { limit_bytes, reached_bytes } => {
                write!(f, "it reached the memory limit of {} MiB", limit_bytes >> 20)?;
                // What is resident may be less than what counts against the limit.
                if reached_bytes > limit_bytes {
                    write!(f, " ({} MiB wanted)", reached_bytes.div_ceil(1 << 20))?;
                }
                Ok(())
            }
            Self::FileSize { limit_bytes: 0 } => {
                f.write_str("it wrote to a file, and none was granted to it")
            }
            Self::FileSize { limit_bytes } => {
                write!(f, "it reached the file size limit of {limit_bytes} bytes")
            }
            Self::Killed => f.write_str("it was stopped"),
        }
    }
}

/// The last line that says something of the program's own: advice of the Rust runtime does not.
fn last_words(stderr_tail: &str) -> Option<&str> {
    let is_advice =
        |line: &&str| line.trim().is_empty() || line.starts_with("note: run with `RUST_BACKTRACE");
    stderr_tail.lines().rev().find(|line| !is_advice(line))
}

/// The name by which people know a signal that ends a process, see signal(7).
fn signal_name(number: i32) -> Option<&'static str> {
    Some(match Signal::from_named_raw(number)? {
        Signal::HUP => "SIGHUP",
        Signal::INT => "SIGINT",
        Signal::QUIT => "SIGQUIT",
        Signal::ILL => "SIGILL",
        Signal::TRAP => "SIGTRAP",
        Signal::ABORT => "SIGABRT",
        Signal::BUS => "SIGBUS",
        Signal::FPE => "SIGFPE",
        Signal::KILL => "SIGKILL",
        Signal::SEGV => "SIGSEGV",
        Signal::PIPE => "SIGPIPE",
        Signal::ALARM => "SIGALRM",
        Signal::TERM => "SIGTERM",
        Signal::XCPU => "SIGXCPU",
        Signal::XFSZ => "SIGXFSZ",
        Signal::SYS => "SIGSYS",
        _ => return None,
    })
}

/// The bounds that an ending may be about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) memory_bytes_max: u64,
    pub(crate) file_bytes_max: Option<u64>,
}

impl Bounds {
    pub(crate) fn of(limits: &Limits) -> Self {
        Self { memory_bytes_max: limits.memory_bytes_max, file_bytes_max: limits.file_bytes_max }
    }
}

/// What the kernel tells, read together with what is known of the process.
pub(crate) fn derive_cause(
    status: &WaitIdStatus,
    bounds: Bounds,
    resident_bytes_seen: u64,
    stderr_tail: &str,
) -> Cause {
    let Some(signal) = status.terminating_signal() else {
        return Cause::Exited(status.exit_status().unwrap_or_default());
    };
    if signal == Signal::ABORT.as_raw()
        && let Some(wanted) = refused_allocation(stderr_tail)
    {
        let reached_bytes = resident_bytes_seen.saturating_add(wanted);
        return Cause::Memory { limit_bytes: bounds.memory_bytes_max, reached_bytes };
    }
    if signal == Signal::XFSZ.as_raw()
        && let Some(limit_bytes) = bounds.file_bytes_max
    {
        return Cause::FileSize { limit_bytes };
    }
    Cause::Signal(signal)
}

/// The kernel refuses memory beyond the limit, and a Rust program that cannot go on then says so and aborts: the words are
/// those of std's `handle_alloc_error`. Nothing else tells such an abort from another one.
fn refused_allocation(stderr_tail: &str) -> Option<u64> {
    let (_, after) = stderr_tail.rsplit_once("memory allocation of ")?;
    let (bytes, _) = after.split_once(" bytes failed")?;
    bytes.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_allocation_is_read_off_the_last_words() {
        assert_eq!(
            refused_allocation("starting\nmemory allocation of 629145600 bytes failed\n"),
            Some(629_145_600)
        );
        assert_eq!(refused_allocation("memory allocation of some bytes failed"), None);
        assert_eq!(refused_allocation("panicked at src/main.rs"), None);
    }

    #[test]
    fn an_ending_is_told_in_one_line() {
        let ending = |cause, stderr_tail: &str| {
            Ending { cause, stderr_tail: stderr_tail.to_owned(), memory_peak_bytes: 0 }.to_string()
        };
        assert_eq!(ending(Cause::Exited(3), ""), "it exited with code 3");
        assert_eq!(
            ending(Cause::Exited(101), "thread main panicked\nno such table\n\n"),
            "it exited with code 101; its last words: no such table"
        );
        assert_eq!(
            ending(Cause::Signal(6), "out of luck\nnote: run with `RUST_BACKTRACE=1` to see more\n"),
            "it was ended by signal 6 (SIGABRT); its last words: out of luck"
        );
        assert_eq!(
            ending(Cause::Memory { limit_bytes: 512 << 20, reached_bytes: 415 << 20 }, "memory allocation"),
            "it reached the memory limit of 512 MiB"
        );
        assert_eq!(
            ending(Cause::Memory { limit_bytes: 512 << 20, reached_bytes: 600 << 20 }, ""),
            "it reached the memory limit of 512 MiB (600 MiB wanted)"
        );
        assert_eq!(
            ending(Cause::Deadline(Duration::from_secs(30)), ""),
            "it was stopped at the deadline of 30s"
        );
    }
}
