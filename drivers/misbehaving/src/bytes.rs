//! Bytes on the socket that no gRPC library would send. After its deed the driver stays, whatever becomes of the socket.

mod http2;

use std::{
    io::{self, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    process::exit,
    thread,
    time::Duration,
};

use crate::{
    bytes::http2::{Connection, Kind, flag},
    socket::standard_input,
    wish::wishes,
};

wishes! {
    /// What the socket carries.
    BytesWish {
        /// Nothing, and nothing is read.
        ServeSilent = "serve-silent",
        /// Noise instead of HTTP/2.
        ServeGarbage = "serve-garbage",
        /// An HTTP/1.1 answer.
        ServeHttpOne = "serve-http-one",
        /// The beginning of HTTP/2, a byte a second.
        ServeDrips = "serve-drips",
        /// Nothing: the process exits at once.
        ServeExits = "serve-exits",
        /// Nothing: the socket is closed, the process stays.
        ServeCloses = "serve-closes",
        /// Open: headers that never end.
        HeadersEndless = "headers-endless",
        /// Open: interim answers without end.
        InterimEndless = "interim-endless",
        /// Open: another HTTP status than 200.
        HttpError = "http-error",
        /// Open: a message that is announced as 4 GiB.
        OpenHuge = "open-huge",
        /// Open: a message that is no protobuf.
        OpenUndecodable = "open-undecodable",
        /// Open: a message that is marked as compressed.
        OpenCompressed = "open-compressed",
        /// Execute, after a part: a message that is announced as 4 GiB.
        PartHuge = "part-huge",
        /// Execute, after a part: a message of which a byte a second comes.
        PartDrips = "part-drips",
        /// Execute, after a part: a message that ends in the middle.
        PartTruncated = "part-truncated",
        /// Execute, after a part: the end without a status.
        StatusMissing = "status-missing",
        /// Execute, after a part: a frame that is announced as 16 MiB, the most that HTTP/2 can say.
        FrameHuge = "frame-huge",
        /// Execute, after a part: a frame of a stream that nobody opened.
        FrameForeign = "frame-foreign",
        /// Execute, after a part: noise.
        FramesGarbage = "frames-garbage",
        /// Execute, after a part: empty frames without end.
        FramesEmpty = "frames-empty",
        /// Execute, after a part: pings without end, and no answer is read.
        FloodPings = "flood-pings",
        /// Execute, after a part: settings without end, and no answer is read.
        FloodSettings = "flood-settings",
        /// Execute, after a part: the stream is reset.
        StreamReset = "stream-reset",
        /// Execute, after a part: the connection says good-bye and stays.
        GoAway = "go-away",
        /// Execute, after a part: the socket is closed, the process stays.
        CloseSocket = "close-socket",
    }
}

/// `OpenResponse { opened: {} }`, and also `ExecuteResponse { header: {} }`: field 1, an empty message.
const EMPTY_FIRST_FIELD: &[u8] = &[0x0a, 0x00];

pub(crate) fn serve(wish: BytesWish) -> io::Result<()> {
    // An error says that the other end is gone, and this is a driver that stays all the same.
    misbehave(wish, standard_input()?).ok();
    loop {
        thread::park();
    }
}

fn misbehave(wish: BytesWish, mut socket: UnixStream) -> io::Result<()> {
    use BytesWish as Wish;
    match wish {
        Wish::ServeSilent => Ok(()),
        Wish::ServeGarbage => socket.write_all(&noise()),
        Wish::ServeHttpOne => socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        Wish::ServeDrips => {
            for byte in http2::frame(Kind::Settings, 0, 0, &[]) {
                socket.write_all(&[byte])?;
                thread::sleep(Duration::from_secs(1));
            }
            Ok(())
        }
        Wish::ServeExits => exit(0),
        Wish::ServeCloses => socket.shutdown(Shutdown::Both),
        Wish::HeadersEndless => {
            let (mut connection, open) = in_open(socket)?;
            connection.send(Kind::Headers, 0, open, http2::STATUS_OK)?;
            let more = http2::frame(Kind::Continuation, 0, open, &http2::field("x-endless", "metadata"));
            connection.send_for_ever(&more)
        }
        Wish::InterimEndless => {
            let (mut connection, open) = in_open(socket)?;
            let interim = http2::frame(Kind::Headers, flag::END_HEADERS, open, http2::STATUS_CONTINUE);
            connection.send_for_ever(&interim)
        }
        Wish::HttpError => {
            let (mut connection, open) = in_open(socket)?;
            let flags = flag::END_HEADERS | flag::END_STREAM;
            connection.send(Kind::Headers, flags, open, http2::STATUS_ERROR)
        }
        Wish::OpenHuge => {
            let (mut connection, open) = in_open(socket)?;
            connection.begin_answer(open)?;
            connection.send(Kind::Data, 0, open, &http2::prefix(false, u32::MAX))
        }
        Wish::OpenUndecodable => {
            let (mut connection, open) = in_open(socket)?;
            connection.begin_answer(open)?;
            connection.send_message(open, b"\xff\xff\xff\xff")?;
            connection.end_answer(open)
        }
        Wish::OpenCompressed => {
            let (mut connection, open) = in_open(socket)?;
            connection.begin_answer(open)?;
            let message = [&http2::prefix(true, 2), EMPTY_FIRST_FIELD].concat();
            connection.send(Kind::Data, 0, open, &message)?;
            connection.end_answer(open)
        }
        Wish::PartHuge => {
            let (mut connection, stream) = in_execute(socket)?;
            connection.send(Kind::Data, 0, stream, &http2::prefix(false, u32::MAX))
        }
        Wish::PartDrips => {
            let (mut connection, stream) = in_execute(socket)?;
            connection.send(Kind::Data, 0, stream, &http2::prefix(false, 1000))?;
            loop {
                thread::sleep(Duration::from_secs(1));
                connection.send(Kind::Data, 0, stream, &[0x0a])?;
            }
        }
        Wish::PartTruncated => {
            let (mut connection, stream) = in_execute(socket)?;
            connection.send(Kind::Data, 0, stream, &http2::prefix(false, 1000))?;
            connection.end_answer(stream)
        }
        Wish::StatusMissing => {
            let (mut connection, stream) = in_execute(socket)?;
            connection.send(Kind::Data, flag::END_STREAM, stream, &[])
        }
        Wish::FrameHuge => {
            let (mut connection, stream) = in_execute(socket)?;
            connection.send_raw(&http2::frame_head(0xff_ffff, Kind::Data, 0, stream))
        }
        Wish::FrameForeign => {
            let (mut connection, _) = in_execute(socket)?;
            connection.send(Kind::Data, 0, 99, b"hello")
        }
        Wish::FramesGarbage => {
            let (mut connection, _) = in_execute(socket)?;
            connection.send_raw(&noise())
        }
        Wish::FramesEmpty => {
            let (mut connection, stream) = in_execute(socket)?;
            connection.send_for_ever(&http2::frame(Kind::Data, 0, stream, &[]))
        }
        Wish::FloodPings => {
            let (mut connection, _) = in_execute(socket)?;
            connection.send_for_ever(&http2::frame(Kind::Ping, 0, 0, &[0; 8]))
        }
        Wish::FloodSettings => {
            let (mut connection, _) = in_execute(socket)?;
            connection.send_for_ever(&http2::frame(Kind::Settings, 0, 0, &[]))
        }
        Wish::StreamReset => {
            let (mut connection, stream) = in_execute(socket)?;
            connection.send(Kind::Reset, 0, stream, &http2::ERROR_INTERNAL)
        }
        Wish::GoAway => {
            let (mut connection, _) = in_execute(socket)?;
            let last_stream_and_error = [[0; 4], http2::ERROR_INTERNAL].concat();
            connection.send(Kind::GoAway, 0, 0, &last_stream_and_error)
        }
        Wish::CloseSocket => in_execute(socket)?.0.close(),
    }
}

/// A connection whose Open waits for its answer on this stream.
fn in_open(socket: UnixStream) -> io::Result<(Connection, u32)> {
    let mut connection = Connection::accept(socket)?;
    let open = connection.read_request()?;
    Ok((connection, open))
}

/// A connection whose Execute was answered on this stream with one part.
fn in_execute(socket: UnixStream) -> io::Result<(Connection, u32)> {
    let (mut connection, open) = in_open(socket)?;
    connection.begin_answer(open)?;
    connection.send_message(open, EMPTY_FIRST_FIELD)?;
    connection.end_answer(open)?;
    let execute = connection.read_request()?;
    connection.begin_answer(execute)?;
    connection.send_message(execute, EMPTY_FIRST_FIELD)?;
    Ok((connection, execute))
}

/// The same in each run.
fn noise() -> Vec<u8> {
    (0..64 * 1024_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}
