//! Batches that lie in the file together, as bytes.
//!
//! For each batch its numbers, its metadata and its notes; then, after all of these, the bodies, each where decoding
//! needs no copy. All numbers are little-endian. The form is private to a process: whoever wrote a block reads it.

use bytes::{Buf, BufMut, Bytes};

use crate::{CellNote, Display, Note, RawBatch};

/// The alignment that Arrow's widest values want.
const BODY_ALIGNMENT_BYTES: usize = 16;
/// More than the numbers of a batch, or of a note, take.
const NUMBERS_BYTES: usize = 64;

/// Puts batches together, with room for what sealing adds.
pub(crate) fn encode(batches: &[RawBatch], room: usize) -> Vec<u8> {
    let bytes = batches.iter().map(|batch| batch.bytes() as usize + NUMBERS_BYTES).sum::<usize>();
    let mut out = Vec::with_capacity(bytes + NUMBERS_BYTES + room);
    out.put_u32_le(batches.len() as u32);
    for batch in batches {
        out.put_u32_le(batch.row_count);
        out.put_u64_le(batch.body.len() as u64);
        put_bytes(&mut out, &batch.metadata);
        out.put_u32_le(batch.notes.len() as u32);
        for note in &batch.notes {
            put_note(&mut out, note);
        }
    }
    for batch in batches {
        out.resize(out.len().next_multiple_of(BODY_ALIGNMENT_BYTES), 0);
        out.put_slice(&batch.body);
    }
    out
}

/// Takes batches apart again. `None`: the block is not one that [`encode`] made.
pub(crate) fn decode(block: &Bytes) -> Option<Vec<RawBatch>> {
    let mut rest = block.clone();
    let count = rest.try_get_u32_le().ok()?;
    let mut batches = Vec::new();
    let mut body_lengths = Vec::new();
    for _ in 0..count {
        let row_count = rest.try_get_u32_le().ok()?;
        body_lengths.push(usize::try_from(rest.try_get_u64_le().ok()?).ok()?);
        let metadata = get_bytes(&mut rest)?;
        let note_count = rest.try_get_u32_le().ok()?;
        let notes = (0..note_count).map(|_| get_note(&mut rest)).collect::<Option<Vec<_>>>()?;
        batches.push(RawBatch { metadata, body: Bytes::new(), row_count, notes });
    }
    let mut at = block.len() - rest.len();
    for (batch, length) in batches.iter_mut().zip(body_lengths) {
        let start = at.next_multiple_of(BODY_ALIGNMENT_BYTES);
        let end = start.checked_add(length).filter(|end| *end <= block.len())?;
        batch.body = block.slice(start..end);
        at = end;
    }
    Some(batches)
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.put_u64_le(bytes.len() as u64);
    out.put_slice(bytes);
}

fn get_bytes(rest: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(rest.try_get_u64_le().ok()?).ok()?;
    (length <= rest.len()).then(|| rest.split_to(length))
}

fn put_note(out: &mut Vec<u8>, note: &CellNote) {
    out.put_u32_le(note.row);
    out.put_u32_le(note.column);
    match &note.display {
        None => out.put_u8(0),
        Some(display) => put_display(out, display),
    }
    // No value is as long as this.
    out.put_u64_le(note.full_size.unwrap_or(u64::MAX));
    match &note.note {
        Note::ExactText(text) => {
            out.put_u8(1);
            put_bytes(out, text.as_bytes());
        }
        Note::Undecodable(bytes) => {
            out.put_u8(2);
            put_bytes(out, bytes);
        }
        Note::CutAtSize(size) => {
            out.put_u8(3);
            out.put_u64_le(*size);
        }
    }
}

fn get_note(rest: &mut Bytes) -> Option<CellNote> {
    let row = rest.try_get_u32_le().ok()?;
    let column = rest.try_get_u32_le().ok()?;
    let display = match rest.try_get_u8().ok()? {
        0 => None,
        code => Some(get_display(code, rest)?),
    };
    let full_size = Some(rest.try_get_u64_le().ok()?).filter(|size| *size != u64::MAX);
    let note = match rest.try_get_u8().ok()? {
        1 => Note::ExactText(String::from_utf8(get_bytes(rest)?.into()).ok()?),
        2 => Note::Undecodable(get_bytes(rest)?),
        3 => Note::CutAtSize(rest.try_get_u64_le().ok()?),
        _ => return None,
    };
    Some(CellNote { row, column, note, display, full_size })
}

fn put_display(out: &mut Vec<u8>, display: &Display) {
    let code = match display {
        Display::BoolTF => 1,
        Display::Bool10 => 2,
        Display::Integer => 3,
        Display::FloatPg => 4,
        Display::FloatPoint => 5,
        Display::Decimal => 6,
        Display::DateIso => 7,
        Display::TimestampIso => 8,
        Display::TimestampIsoUtc => 9,
        Display::Time => 10,
        Display::Uuid => 11,
        Display::BytesHex => 12,
        Display::Text => 13,
        Display::Json => 14,
        Display::Interval => 17,
        Display::TimeZoned => 18,
        Display::Money => 19,
        Display::Array(element) => {
            out.put_u8(15);
            return put_display(out, element);
        }
        Display::ArrayText(element) => {
            out.put_u8(16);
            return put_display(out, element);
        }
    };
    out.put_u8(code);
}

fn get_display(code: u8, rest: &mut Bytes) -> Option<Display> {
    Some(match code {
        1 => Display::BoolTF,
        2 => Display::Bool10,
        3 => Display::Integer,
        4 => Display::FloatPg,
        5 => Display::FloatPoint,
        6 => Display::Decimal,
        7 => Display::DateIso,
        8 => Display::TimestampIso,
        9 => Display::TimestampIsoUtc,
        10 => Display::Time,
        11 => Display::Uuid,
        12 => Display::BytesHex,
        13 => Display::Text,
        14 => Display::Json,
        17 => Display::Interval,
        18 => Display::TimeZoned,
        19 => Display::Money,
        15 | 16 => {
            // An element is never an array, and a block that says otherwise must not lead deeper and deeper.
            let inner = rest.try_get_u8().ok().filter(|inner| !matches!(inner, 15 | 16))?;
            let inner = Box::new(get_display(inner, rest)?);
            if code == 15 { Display::Array(inner) } else { Display::ArrayText(inner) }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches() -> Vec<RawBatch> {
        let note = |row, note| CellNote { row, column: 1, note, display: None, full_size: None };
        let notes = vec![
            note(0, Note::ExactText("infinity".to_owned())),
            CellNote { full_size: Some(9), ..note(1, Note::Undecodable(Bytes::from_static(b"\xff\xfe"))) },
            CellNote {
                display: Some(Display::Array(Box::new(Display::Time))),
                ..note(2, Note::CutAtSize(1 << 40))
            },
            CellNote {
                display: Some(Display::ArrayText(Box::new(Display::Uuid))),
                ..note(2, Note::ExactText("[0:0]={1}".to_owned()))
            },
        ];
        let first = RawBatch {
            metadata: Bytes::from_static(b"schema"),
            body: Bytes::from_static(b"a body"),
            row_count: 3,
            notes,
        };
        let second = RawBatch { row_count: 1, notes: Vec::new(), ..first.clone() };
        vec![first, second]
    }

    #[test]
    fn batches_come_back_as_they_were() {
        let block = Bytes::from(encode(&batches(), 16));
        assert_eq!(format!("{:?}", decode(&block).unwrap()), format!("{:?}", batches()));
    }

    #[test]
    fn bodies_lie_where_decoding_needs_no_copy() {
        let block = Bytes::from(encode(&batches(), 16));
        for batch in decode(&block).unwrap() {
            assert_eq!((batch.body.as_ptr() as usize - block.as_ptr() as usize) % BODY_ALIGNMENT_BYTES, 0);
        }
    }

    #[test]
    fn a_block_that_ends_early_is_none() {
        let block = encode(&batches(), 16);
        for length in 0..block.len() {
            assert!(decode(&Bytes::copy_from_slice(&block[..length])).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn arrays_of_arrays_lead_nowhere() {
        for (outer, inner) in [(15, 15), (15, 16), (16, 15), (16, 16)] {
            assert!(get_display(outer, &mut Bytes::from(vec![inner; 1 << 20])).is_none());
        }
    }
}
