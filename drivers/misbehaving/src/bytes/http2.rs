//! As much of HTTP/2 (RFC 9113) and HPACK (RFC 7541) as a server of two calls needs, and nothing that keeps it honest.

use std::{
    io::{self, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
};

/// What each connection begins with: RFC 9113, section 3.4.
const PREFACE_BYTES: usize = 24;
const FRAME_HEAD_BYTES: usize = 9;

/// `:status: 200`, entry 8 of the static table.
pub(super) const STATUS_OK: &[u8] = &[0x88];
/// `:status: 100`, with the name of entry 8 and a value of its own.
pub(super) const STATUS_CONTINUE: &[u8] = b"\x08\x03100";
/// `:status: 500`, entry 14.
pub(super) const STATUS_ERROR: &[u8] = &[0x8e];
/// INTERNAL_ERROR: RFC 9113, section 7.
pub(super) const ERROR_INTERNAL: [u8; 4] = [0, 0, 0, 2];

/// Types of frames: RFC 9113, section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Data = 0,
    Headers = 1,
    Reset = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    Continuation = 9,
}

/// Flags of frames.
pub(super) mod flag {
    pub(in crate::bytes) const END_STREAM: u8 = 0x1;
    pub(in crate::bytes) const ACK: u8 = 0x1;
    pub(in crate::bytes) const END_HEADERS: u8 = 0x4;
}

/// A frame's head, which may announce more than follows.
pub(super) fn frame_head(length: u32, kind: Kind, flags: u8, stream: u32) -> [u8; FRAME_HEAD_BYTES] {
    let [_, l0, l1, l2] = length.to_be_bytes();
    let [s0, s1, s2, s3] = stream.to_be_bytes();
    [l0, l1, l2, kind as u8, flags, s0, s1, s2, s3]
}

pub(super) fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("payloads here are short");
    [&frame_head(length, kind, flags, stream), payload].concat()
}

/// What stands before each message of gRPC.
pub(super) fn prefix(compressed: bool, length: u32) -> [u8; 5] {
    let [l0, l1, l2, l3] = length.to_be_bytes();
    [u8::from(compressed), l0, l1, l2, l3]
}

/// A header field that no table knows.
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// The server's end of one connection.
pub(super) struct Connection {
    socket: UnixStream,
}

impl Connection {
    pub(super) fn accept(mut socket: UnixStream) -> io::Result<Self> {
        socket.read_exact(&mut [0; PREFACE_BYTES])?;
        let mut connection = Self { socket };
        connection.send(Kind::Settings, 0, 0, &[])?;
        Ok(connection)
    }

    /// Reads until a call's request is whole; the number of its stream.
    pub(super) fn read_request(&mut self) -> io::Result<u32> {
        loop {
            let mut head = [0; FRAME_HEAD_BYTES];
            self.socket.read_exact(&mut head)?;
            let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, l0, l1, l2]) as usize];
            self.socket.read_exact(&mut payload)?;
            let is = |wanted: Kind, flag: u8| kind == wanted as u8 && flags & flag == flag;
            if is(Kind::Settings, 0) && flags & flag::ACK == 0 {
                self.send(Kind::Settings, flag::ACK, 0, &[])?;
            } else if is(Kind::Ping, 0) && flags & flag::ACK == 0 {
                self.send(Kind::Ping, flag::ACK, 0, &payload)?;
            } else if is(Kind::Data, flag::END_STREAM) {
                return Ok(u32::from_be_bytes([s0, s1, s2, s3]));
            }
        }
    }

    pub(super) fn begin_answer(&mut self, stream: u32) -> io::Result<()> {
        let headers = [STATUS_OK, &field("content-type", "application/grpc")].concat();
        self.send(Kind::Headers, flag::END_HEADERS, stream, &headers)
    }

    pub(super) fn send_message(&mut self, stream: u32, message: &[u8]) -> io::Result<()> {
        let length = u32::try_from(message.len()).expect("messages here are short");
        self.send(Kind::Data, 0, stream, &[&prefix(false, length), message].concat())
    }

    /// The status OK.
    pub(super) fn end_answer(&mut self, stream: u32) -> io::Result<()> {
        let flags = flag::END_HEADERS | flag::END_STREAM;
        self.send(Kind::Headers, flags, stream, &field("grpc-status", "0"))
    }

    pub(super) fn send(&mut self, kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        self.send_raw(&frame(kind, flags, stream, payload))
    }

    pub(super) fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Returns when nobody takes it any more.
    pub(super) fn send_for_ever(&mut self, frame: &[u8]) -> io::Result<()> {
        // Many at once, or the system calls would be what holds it back.
        let frames = frame.repeat(1000);
        loop {
            self.send_raw(&frames)?;
        }
    }

    pub(super) fn close(&mut self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Both)
    }
}
