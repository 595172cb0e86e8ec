//! Ctrl-C, SIGTERM and SIGHUP, from the moment on that something has to be ended in good order.

use std::{fs, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::keys::source::end_commands;

/// Wishes to stop. Until the first [`Interrupts::listen`] they end the program at once.
pub(crate) struct Interrupts {
    interrupt: Signal,
    ends: Ends,
    heard: u32,
}

impl Interrupts {
    pub(crate) fn listen() -> io::Result<Interrupts> {
        Ok(Interrupts { interrupt: signal(SignalKind::interrupt())?, ends: Ends::listen()?, heard: 0 })
    }

    /// Waits for the next one. Nothing is lost when this is dropped.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            () = self.ends.next() => {}
        }
        self.heard += 1;
        // Whoever wishes to stop does not wait for a program that asks, perhaps in vain, for the master key.
        end_commands();
    }

    /// Whether the user asked again after the first wish: everything has to end at once.
    pub(crate) fn are_urgent(&self) -> bool {
        self.heard > 1
    }
}

/// Wishes that the whole program ends, which Ctrl-C at a prompt is not: SIGTERM, and SIGHUP when the terminal is gone.
pub(crate) struct Ends {
    terminate: Signal,
    /// `None`: it is ignored, as `nohup` wishes.
    hang_up: Option<Signal>,
}

impl Ends {
    pub(crate) fn listen() -> io::Result<Ends> {
        Ok(Ends {
            terminate: signal(SignalKind::terminate())?,
            hang_up: match ignores_hang_up() {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
        })
    }

    /// Waits for the next one. Nothing is lost when this is dropped.
    pub(crate) async fn next(&mut self) {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = hang_up => {}
        }
    }
}

/// Whether the program was started with SIGHUP ignored, or that cannot be known: then the system's default stands.
///
/// The mask is Linux's; what the process itself listens to never stands in it.
fn ignores_hang_up() -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return true };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Bit 0 is signal 1.
    mask.is_none_or(|mask| mask & 1 == 1)
}
