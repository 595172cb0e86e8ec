//! A ZIP archive that is written from its beginning to its end, to anything that takes bytes.
//!
//! Sizes stand behind each entry (a data descriptor), as they are not known before it. Entries and the archive stay below
//! 4 GiB, the length that every reader takes.

use std::io::{self, Write};

use flate2::{Compression, Crc, write::DeflateEncoder};

/// Sizes behind the entry; names in UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
const DEFLATE: u16 = 8;
const VERSION: u16 = 20;
/// The first of January 1980: an export says nothing of when it was made.
const DATE: u16 = 1 << 5 | 1;

pub(super) struct Archive<W> {
    out: W,
    offset: u64,
    entries: Vec<Entry>,
    open: Option<Open>,
}

struct Entry {
    name: String,
    crc: u32,
    packed_bytes: u32,
    bytes: u32,
    offset: u32,
}

/// The entry that is written.
struct Open {
    name: String,
    offset: u32,
    encoder: DeflateEncoder<Vec<u8>>,
    crc: Crc,
    packed_bytes: u64,
    bytes: u64,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Archive<W> {
        Archive { out, offset: 0, entries: Vec::new(), open: None }
    }

    pub(super) fn out(&self) -> &W {
        &self.out
    }

    /// Begins an entry, and ends the one before.
    pub(super) fn begin(&mut self, name: &str) -> io::Result<()> {
        self.end_entry()?;
        let offset = short(self.offset)?;
        let mut header = b"PK\x03\x04".to_vec();
        for number in [VERSION, FLAGS, DEFLATE, 0, DATE] {
            header.extend(number.to_le_bytes());
        }
        header.extend([0; 12]);
        header.extend((name.len() as u16).to_le_bytes());
        header.extend([0; 2]);
        header.extend(name.as_bytes());
        self.put(&header)?;
        self.open = Some(Open {
            name: name.to_owned(),
            offset,
            encoder: DeflateEncoder::new(Vec::new(), Compression::fast()),
            crc: Crc::new(),
            packed_bytes: 0,
            bytes: 0,
        });
        Ok(())
    }

    /// Bytes of the entry that is written, before they are packed.
    pub(super) fn entry_bytes(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.bytes)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let open = self.open.as_mut().expect("an entry was begun");
        open.crc.update(bytes);
        open.bytes += bytes.len() as u64;
        open.encoder.write_all(bytes)?;
        let packed = std::mem::take(open.encoder.get_mut());
        open.packed_bytes += packed.len() as u64;
        self.put(&packed)
    }

    /// Ends the archive and gives back what it was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.end_entry()?;
        let start = short(self.offset)?;
        for entry in std::mem::take(&mut self.entries) {
            let mut record = b"PK\x01\x02".to_vec();
            for number in [VERSION, VERSION, FLAGS, DEFLATE, 0, DATE] {
                record.extend(number.to_le_bytes());
            }
            for number in [entry.crc, entry.packed_bytes, entry.bytes] {
                record.extend(number.to_le_bytes());
            }
            record.extend((entry.name.len() as u16).to_le_bytes());
            record.extend([0; 12]);
            record.extend(entry.offset.to_le_bytes());
            record.extend(entry.name.as_bytes());
            self.put(&record)?;
            self.entries.push(entry);
        }
        let count = u16::try_from(self.entries.len()).map_err(|_| too_long())?.to_le_bytes();
        let length = short(self.offset)? - start;
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend([count, count].concat());
        end.extend(length.to_le_bytes());
        end.extend(start.to_le_bytes());
        end.extend([0; 2]);
        self.put(&end)?;
        Ok(self.out)
    }

    fn end_entry(&mut self) -> io::Result<()> {
        let Some(Open { name, offset, encoder, crc, packed_bytes, bytes }) = self.open.take() else {
            return Ok(());
        };
        let rest = encoder.finish()?;
        self.put(&rest)?;
        let packed_bytes = short(packed_bytes + rest.len() as u64)?;
        let entry = Entry { name, crc: crc.sum(), packed_bytes, bytes: short(bytes)?, offset };
        let mut descriptor = b"PK\x07\x08".to_vec();
        for number in [entry.crc, entry.packed_bytes, entry.bytes] {
            descriptor.extend(number.to_le_bytes());
        }
        self.entries.push(entry);
        self.put(&descriptor)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.offset += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// A place or a length that an archive without extensions has.
fn short(bytes: u64) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| too_long())
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "a workbook holds at most 4 GiB")
}
