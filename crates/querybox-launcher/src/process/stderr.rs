//! The last lines that a driver wrote on standard error.

use std::{
    collections::VecDeque,
    io,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{io::AsyncReadExt, net::unix::pipe, task::JoinHandle, time::timeout};
use tokio_util::task::TaskTracker;

use crate::printable::printable;

/// What is kept. A panic with its backtrace is some kilobytes long.
const TAIL_BYTES_MAX: usize = 16 * 1024;

/// The pipe closes with the process. Only a descriptor that was smuggled out could hold it open.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

/// Reads standard error as fast as it comes, so that a driver never waits for it, and keeps its end.
pub(super) struct StderrTail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    reading: JoinHandle<()>,
}

impl StderrTail {
    pub(super) fn read(pipe: OwnedFd, tasks: &TaskTracker) -> io::Result<Self> {
        let pipe = pipe::Receiver::from_owned_fd(pipe)?;
        let kept = Arc::new(Mutex::new(VecDeque::with_capacity(TAIL_BYTES_MAX)));
        let reading = tasks.spawn(drain(pipe, Arc::clone(&kept)));
        Ok(Self { kept, reading })
    }

    /// The end of what was written, once the writer is gone.
    pub(super) async fn finish(mut self) -> String {
        if timeout(CLOSE_GRACE, &mut self.reading).await.is_err() {
            self.reading.abort();
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (front, back) = kept.as_slices();
        printable(&[front, back].concat())
    }
}

async fn drain(mut pipe: pipe::Receiver, kept: Arc<Mutex<VecDeque<u8>>>) {
    let mut buffer = [0; 8 * 1024];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        push(&mut kept.lock().unwrap_or_else(PoisonError::into_inner), &buffer[..count]);
    }
}

fn push(kept: &mut VecDeque<u8>, bytes: &[u8]) {
    let excess = (kept.len() + bytes.len()).saturating_sub(TAIL_BYTES_MAX);
    kept.drain(..excess.min(kept.len()));
    kept.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept() {
        let mut kept = VecDeque::new();
        for _ in 0..100 {
            push(&mut kept, &[b'a'; 1000]);
        }
        push(&mut kept, b"last words");
        assert_eq!(kept.len(), TAIL_BYTES_MAX);
        assert!(kept.make_contiguous().ends_with(b"aaalast words"));
    }
}
