//! Ctrl-C and SIGTERM, from the moment on that something has to be ended in good order.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Wishes to stop. Until the first [`Interrupts::listen`] they end the program at once.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    pub(crate) fn listen() -> io::Result<Interrupts> {
        Ok(Interrupts {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one. Nothing is lost when this is dropped.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
