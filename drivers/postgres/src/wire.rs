//! Messages on a socket: what is written waits for `send`, what is read is cut into messages where it lies.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf as _, BytesMut};
use postgres_protocol::message::backend;
use querybox_plugin::{Error, Reason, Stream};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_rustls::client::TlsStream;
use zeroize::Zeroize as _;

/// Room for one read. The server sends 8 KiB at a time, of which several wait in the socket when it is fast.
const READ_BYTES: usize = 64 * 1024;
/// The server builds each message in one allocation, and those end at 1 GiB.
const DATA_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Descriptions. One of 1,664 columns is below 1 MiB.
const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Errors and notices may quote what they complain about. More of one is skipped, with the fields behind.
const SAID_BYTES_MAX: usize = 1024 * 1024;
/// Everything else is short, and so is all before log-in.
const SHORT_BYTES_MAX: usize = 64 * 1024;

/// A connection to a server, with or without TLS.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(Stream),
    Tls(Box<TlsStream<Stream>>),
}

/// Whether the user is logged in. Nobody else may make the driver hold more than a little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    Stranger,
    LoggedIn,
}

/// The head of a message that is in the read buffer as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) tag: u8,
    /// Bytes of the whole message.
    length: usize,
}

/// The messages of a connection.
pub(crate) struct Wire {
    transport: Transport,
    input: BytesMut,
    /// What is written next. Messages are put here by the functions of [`postgres_protocol::message::frontend`].
    pub(crate) output: BytesMut,
    /// All of `output` was written, and may still lie in a buffer of TLS.
    is_unflushed: bool,
    trust: Trust,
    skipped: Option<Skipped>,
}

/// A message of which the end is skipped.
struct Skipped {
    /// What is kept, as a message of its own.
    kept: BytesMut,
    /// Bytes that are still to be skipped.
    left: usize,
}

impl Wire {
    pub(crate) fn new(transport: Transport) -> Self {
        let input = BytesMut::with_capacity(2 * READ_BYTES);
        Self {
            transport,
            input,
            output: BytesMut::new(),
            is_unflushed: false,
            trust: Trust::Stranger,
            skipped: None,
        }
    }

    pub(crate) fn trust(&mut self) {
        self.trust = Trust::LoggedIn;
    }

    /// Writes what was put into `output`, and wipes it: it may have held a password.
    pub(crate) async fn send(&mut self) -> Result<(), Error> {
        let written = async {
            self.transport.write_all(&self.output).await?;
            self.transport.flush().await
        };
        let written = written.await;
        self.output.as_mut().zeroize();
        self.output.clear();
        written.map_err(|error| lost(&error))
    }

    /// Whether all that was put into `output` is on its way.
    pub(crate) fn is_sent(&self) -> bool {
        self.output.is_empty() && !self.is_unflushed
    }

    /// Writes what was put into `output` until all of it is written, or something was read, whichever comes first. Neither side
    /// can so wait for the other. Nothing secret may be in it, for it is not wiped. Safe to cancel.
    pub(crate) async fn send_or_fill(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_send_or_fill(cx)).await
    }

    fn poll_send_or_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut transport = Pin::new(&mut self.transport);
        let sent = loop {
            if self.output.is_empty() {
                self.is_unflushed = true;
                break transport.as_mut().poll_flush(cx);
            }
            match transport.as_mut().poll_write(cx, &self.output) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.output.advance(count),
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        if let Poll::Ready(Ok(())) = sent {
            self.is_unflushed = false;
            return Poll::Ready(Ok(()));
        }
        let mut room = [0; 8 * 1024];
        let mut read = ReadBuf::new(&mut room);
        let filled = transport.poll_read(cx, &mut read);
        if let (Poll::Ready(Ok(())), [_, ..]) = (&filled, read.filled()) {
            self.input.extend_from_slice(read.filled());
            self.skip();
            // A server that does not listen any more may have said why.
            if let Poll::Ready(Err(_)) = sent {
                self.output.clear();
            }
            return Poll::Ready(Ok(()));
        }
        match (sent, filled) {
            (Poll::Ready(Err(error)), _) | (_, Poll::Ready(Err(error))) => Poll::Ready(Err(lost(&error))),
            (_, Poll::Ready(Ok(()))) => Poll::Ready(Err(Error::lost("the server closed the connection"))),
            (_, Poll::Pending) => Poll::Pending,
        }
    }

    /// Reads what is there, and waits until something is. Safe to cancel: no byte is lost.
    pub(crate) async fn fill(&mut self) -> Result<(), Error> {
        self.input.reserve(READ_BYTES);
        match self.transport.read_buf(&mut self.input).await {
            Ok(0) => Err(Error::lost("the server closed the connection")),
            Ok(_) => {
                self.skip();
                Ok(())
            }
            Err(error) => Err(lost(&error)),
        }
    }

    /// Drops what is there of the end of a message, and puts what was kept of that in its place once all is gone.
    fn skip(&mut self) {
        let Some(Skipped { mut kept, left }) = self.skipped.take() else { return };
        let dropped = left.min(self.input.len());
        self.input.advance(dropped);
        if dropped < left {
            self.skipped = Some(Skipped { kept, left: left - dropped });
        } else {
            kept.extend_from_slice(&self.input);
            self.input = kept;
        }
    }

    /// Keeps the first part of a message that is too long, which ends in the middle of a field.
    fn keep_first_part(&mut self, length: usize) {
        let mut kept = self.input.split_to(SAID_BYTES_MAX);
        // The end of the field, unless it happens to end here, and that of the fields.
        let ends: &[u8] = if kept.ends_with(&[0]) { &[0] } else { &[0, 0] };
        kept.extend_from_slice(ends);
        let kept_length = u32::try_from(kept.len() - 1).expect("a part is far below 4 GiB");
        kept[1..5].copy_from_slice(&kept_length.to_be_bytes());
        self.skipped = Some(Skipped { kept, left: length - SAID_BYTES_MAX });
        self.skip();
    }

    /// The head of the next message, when all of the message is there: of an error or a notice all that is kept.
    pub(crate) fn head(&mut self) -> Result<Option<Head>, Error> {
        if self.skipped.is_some() {
            return Ok(None);
        }
        let header = backend::Header::parse(&self.input)
            .map_err(|_| self.implausible("a message of an impossible length"))?;
        let Some(header) = header else { return Ok(None) };
        // The length counts itself but not the tag.
        let length = usize::try_from(header.len()).expect("a parsed length is at least 4") + 1;
        if length > self.length_max(header.tag()) {
            let tag = char::from(header.tag()).to_string();
            return Err(self.implausible(&format!("a message {tag:?} of {length} bytes")));
        }
        let is_said = matches!(header.tag(), backend::ERROR_RESPONSE_TAG | backend::NOTICE_RESPONSE_TAG);
        if is_said && length > SAID_BYTES_MAX + 2 && self.input.len() >= SAID_BYTES_MAX {
            self.keep_first_part(length);
            return self.head();
        }
        Ok((self.input.len() >= length).then_some(Head { tag: header.tag(), length }))
    }

    /// Nothing that a PostgreSQL server sends. Before log-in the likely cause is that another program answers there.
    fn implausible(&self, sent: &str) -> Error {
        Error::protocol(match self.trust {
            Trust::Stranger => format!("what answers there is no PostgreSQL server: it sent {sent}"),
            Trust::LoggedIn => format!("the server sent {sent}"),
        })
    }

    fn length_max(&self, tag: u8) -> usize {
        match (self.trust, tag) {
            (Trust::Stranger, _) => SHORT_BYTES_MAX,
            (
                Trust::LoggedIn,
                backend::DATA_ROW_TAG
                | backend::COPY_DATA_TAG
                | backend::ERROR_RESPONSE_TAG
                | backend::NOTICE_RESPONSE_TAG,
            ) => DATA_BYTES_MAX,
            (
                Trust::LoggedIn,
                backend::ROW_DESCRIPTION_TAG
                | backend::PARAMETER_DESCRIPTION_TAG
                | backend::PARAMETER_STATUS_TAG,
            ) => TEXT_BYTES_MAX,
            (Trust::LoggedIn, _) => SHORT_BYTES_MAX,
        }
    }

    /// The next message without tag and length.
    pub(crate) fn body(&self, head: Head) -> &[u8] {
        &self.input[5..head.length]
    }

    /// Takes the next message off the buffer.
    pub(crate) fn consume(&mut self, head: Head) {
        self.input.advance(head.length);
        if self.input.is_empty() && self.input.capacity() > 16 * READ_BYTES {
            // A huge message must not be paid for ever after.
            self.input = BytesMut::with_capacity(2 * READ_BYTES);
        }
    }

    /// Takes the next message off the buffer, parsed.
    pub(crate) fn message(&mut self, head: Head) -> Result<backend::Message, Error> {
        backend::Message::parse(&mut self.input).ok().flatten().ok_or_else(|| {
            Error::protocol(format!("the server sent a malformed message {:?}", char::from(head.tag)))
        })
    }
}

fn lost(error: &io::Error) -> Error {
    Error::of_socket(Reason::ConnectionLost, "the connection to the server broke", error)
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
