//! The socket of a driver, and what went over it.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
    sync::SetOnce,
};

/// What went over a [`Line`] so far.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    heard: SetOnce<()>,
    written_bytes: AtomicU64,
}

impl Traffic {
    /// Waits until the driver has said something: HTTP/2 begins with its settings, which it sends once it listens.
    pub(crate) async fn heard(&self) {
        self.heard.wait().await;
    }

    /// What the kernel took of us. A driver has heard nothing of a request when this is as it was before.
    pub(crate) fn written_bytes(&self) -> u64 {
        self.written_bytes.load(Ordering::Relaxed)
    }
}

/// A driver's socket that keeps its [`Traffic`].
pub(super) struct Line {
    socket: UnixStream,
    traffic: Arc<Traffic>,
}

impl Line {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, traffic: Arc::default() }
    }

    pub(super) fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.traffic.written_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        written
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        if buf.filled().len() > before {
            // Set before by an earlier read.
            let _ = self.traffic.heard.set(());
        }
        read
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_line_counts_what_the_other_side_can_have_heard() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut line = Line::new(ours);
        let traffic = line.traffic();
        line.write_all(b"hello").await.unwrap();
        assert_eq!((traffic.written_bytes(), traffic.heard.initialized()), (5, false));
        theirs.write_all(b"hi").await.unwrap();
        line.read_exact(&mut [0; 2]).await.unwrap();
        traffic.heard().await;
        drop(theirs);
        line.write_all(b"anybody?").await.unwrap_err();
        assert_eq!(traffic.written_bytes(), 5);
    }

    #[tokio::test]
    async fn a_socket_that_closes_said_nothing() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut line = Line::new(ours);
        drop(theirs);
        assert_eq!(line.read(&mut [0; 1]).await.unwrap(), 0);
        assert!(!line.traffic().heard.initialized());
    }
}
