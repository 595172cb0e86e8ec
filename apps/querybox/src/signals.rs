//! Ctrl-C and SIGTERM, from the moment on that something has to be ended in good order.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Wishes to stop. Until the first [`Interrupts::listen`] they end the program at once.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    heard: u32,
}

impl Interrupts {
    pub(crate) fn listen() -> io::Result<Interrupts> {
        Ok(Interrupts {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            heard: 0,
        })
    }

    /// Waits for the next one. Nothing is lost when this is dropped.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        self.heard += 1;
    }

    /// Whether the user asked again after the first wish: everything has to end at once.
    pub(crate) fn are_urgent(&self) -> bool {
        self.heard > 1
    }
}
