//! The messages on descriptor 0: a length of four bytes, big endian, then that many bytes of JSON.

use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

/// Bytes of the length before a message.
pub const LENGTH_BYTES: usize = 4;

/// The longest message. A policy is some hundred bytes; an environment may make it longer.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Writes one message with one call of `write`, so that it is whole in the socket before the reader exists.
pub fn send<T: Serialize>(channel: &mut impl Write, message: &T) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = checked_length(json.len())?;
    let mut bytes = Vec::with_capacity(LENGTH_BYTES + json.len());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&json);
    channel.write_all(&bytes)
}

/// Reads one message, and no byte beyond it.
pub fn receive<T: DeserializeOwned>(channel: &mut impl Read) -> io::Result<T> {
    let mut length = [0; LENGTH_BYTES];
    channel.read_exact(&mut length)?;
    let mut json = vec![0; message_length(length)?];
    channel.read_exact(&mut json)?;
    decode(&json)
}

/// For a reader that waits in its own way: the length of the message that follows `length`.
pub fn message_length(length: [u8; LENGTH_BYTES]) -> io::Result<usize> {
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    checked_length(length).map(|_| length)
}

/// For a reader that waits in its own way: the message itself.
pub fn decode<T: DeserializeOwned>(json: &[u8]) -> io::Result<T> {
    Ok(serde_json::from_slice(json)?)
}

fn checked_length(length: usize) -> io::Result<u32> {
    u32::try_from(length).ok().filter(|_| length <= MESSAGE_BYTES_MAX).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a message of {length} bytes is longer than {MESSAGE_BYTES_MAX}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_takes_its_message_and_nothing_after_it() {
        let mut wire = Vec::new();
        send(&mut wire, &vec!["one", "two"]).unwrap();
        wire.extend_from_slice(b"PRI * HTTP/2.0");
        let mut reader = wire.as_slice();
        assert_eq!(receive::<Vec<String>>(&mut reader).unwrap(), ["one", "two"]);
        assert_eq!(reader, b"PRI * HTTP/2.0");
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_anything_is_allocated() {
        let error = receive::<String>(&mut [0xff; 8].as_slice()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_message_that_is_cut_short_is_an_error() {
        let mut wire = Vec::new();
        send(&mut wire, &"policy").unwrap();
        wire.pop();
        let error = receive::<String>(&mut wire.as_slice()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
