//! Where exports go.

use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
};

use bytes::{Bytes, BytesMut};
use tempfile::NamedTempFile;

/// A place for an export.
pub trait Sink: Write + Send {
    /// Makes what was written final. One that is dropped before leaves nothing behind that looks whole.
    ///
    /// # Errors
    ///
    /// When the last bytes cannot be written, or do not get their place.
    fn finish(self) -> io::Result<()>;
}

/// A file that appears whole or not at all, readable by its owner alone. Until then it has a hidden name beside its own, which
/// ends with `.part`.
#[derive(Debug)]
pub struct FileSink {
    part: NamedTempFile,
    path: PathBuf,
    existing: Existing,
}

/// What becomes of a file that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// The export takes its place, at the end.
    Replaced,
    /// It stays, and the export fails.
    Kept,
}

impl FileSink {
    /// Makes the hidden file.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or the name is taken by a file that is to be kept.
    pub fn create(path: &Path, existing: Existing) -> io::Result<FileSink> {
        if existing == Existing::Kept && path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let folder = match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => return Err(io::ErrorKind::IsADirectory.into()),
        };
        let mut prefix = OsString::from(".");
        prefix.push(path.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
        prefix.push(".");
        // A name near the limit of 255 bytes would leave no room for what is added.
        if prefix.len() > 200 {
            prefix = OsString::from(".querybox.");
        }
        let part = tempfile::Builder::new().prefix(&prefix).suffix(".part").tempfile_in(folder)?;
        Ok(FileSink { part, path: path.to_owned(), existing })
    }
}

impl Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for FileSink {
    fn finish(self) -> io::Result<()> {
        // Some file systems say only now that there was no room.
        self.part.as_file().sync_all()?;
        let placed = match self.existing {
            Existing::Replaced => self.part.persist(&self.path),
            Existing::Kept => self.part.persist_noclobber(&self.path),
        };
        placed.map(drop).map_err(|error| error.error)
    }
}

/// A writer that is taken as it is: standard output, a pipe, a device.
#[derive(Debug)]
pub struct StreamSink<W>(pub W);

impl<W: Write> Write for StreamSink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write + Send> Sink for StreamSink<W> {
    fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Bytes in pieces for a channel, which somebody else reads: a download.
///
/// Whoever reads learns the end from whoever wrote: a channel that closes early looks as one that closes at the end.
#[derive(Debug)]
pub struct ChannelSink<F> {
    send: F,
    piece: BytesMut,
    piece_bytes: usize,
}

impl<F: FnMut(Bytes) -> io::Result<()>> ChannelSink<F> {
    /// Hands pieces of about `piece_bytes` to `send`, which waits while the channel is full, and fails when nobody reads it
    /// any more.
    pub fn new(piece_bytes: usize, send: F) -> ChannelSink<F> {
        ChannelSink { send, piece: BytesMut::new(), piece_bytes: piece_bytes.max(1) }
    }
}

impl<F: FnMut(Bytes) -> io::Result<()>> Write for ChannelSink<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.piece_bytes - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == self.piece_bytes {
            (self.send)(self.piece.split().freeze())?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: FnMut(Bytes) -> io::Result<()> + Send> Sink for ChannelSink<F> {
    fn finish(mut self) -> io::Result<()> {
        if self.piece.is_empty() { Ok(()) } else { (self.send)(self.piece.split().freeze()) }
    }
}

/// Counts what goes to a sink, and gathers small writes. Dropping it writes nothing.
pub(super) struct Counted<S> {
    sink: S,
    gathered: Vec<u8>,
    bytes: u64,
}

/// Pages and messages are written in pieces of a few bytes.
const GATHERED_BYTES: usize = 64 * 1024;

impl<S: Sink> Counted<S> {
    pub(super) fn new(sink: S) -> Counted<S> {
        Counted { sink, gathered: Vec::with_capacity(GATHERED_BYTES), bytes: 0 }
    }

    /// Bytes that were written, gathered or not.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.write_out()?;
        self.sink.finish()?;
        Ok(self.bytes)
    }

    /// Writes out what was gathered, for those who read along.
    pub(super) fn write_out(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }
}

impl<S: Sink> Write for Counted<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gathered.len() + bytes.len() > GATHERED_BYTES {
            self.write_out()?;
        }
        if bytes.len() >= GATHERED_BYTES {
            self.sink.write_all(bytes)?;
        } else {
            self.gathered.extend_from_slice(bytes);
        }
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    /// Encoders flush where it means nothing here.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
