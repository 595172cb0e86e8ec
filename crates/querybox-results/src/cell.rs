//! One cell of a result, as text.

use std::ops::Range;

use crate::{
    Display,
    text::{self, out::Out},
    values::{Elements, Values},
};

/// What a cell is, apart from how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The database's NULL. Its text is empty; who shows it decides how.
    Null,
    /// A value, whole and exact.
    Value,
    /// Text that is not valid in the database's encoding. Its text is `\x` and the bytes' hexadecimal digits.
    Undecodable,
    /// The first part of a value of `full_size` bytes.
    Cut { full_size: u64 },
}

/// One cell of a [`Batch`](crate::Batch), or one element of an array in it.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'b> {
    state: State,
    source: Source<'b>,
    display: &'b Display,
}

#[derive(Clone, Copy, Debug)]
enum Source<'b> {
    Nothing,
    Slot(&'b Values, usize),
    Text(&'b str),
    Bytes(&'b [u8]),
}

impl<'b> Cell<'b> {
    pub(crate) fn of_slot(values: &'b Values, slot: usize, display: &'b Display) -> Self {
        if values.is_null(slot) {
            Cell { state: State::Null, source: Source::Nothing, display }
        } else {
            Cell { state: State::Value, source: Source::Slot(values, slot), display }
        }
    }

    pub(crate) fn of_text(text: &'b str, display: &'b Display) -> Self {
        Cell { state: State::Value, source: Source::Text(text), display }
    }

    pub(crate) fn of_undecodable(bytes: &'b [u8], display: &'b Display) -> Self {
        Cell { state: State::Undecodable, source: Source::Bytes(bytes), display }
    }

    pub(crate) fn with_state(self, state: State) -> Self {
        Cell { state, ..self }
    }

    /// What the cell is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether the array holds the cell, not a note.
    pub(crate) fn is_in_array(&self) -> bool {
        matches!(self.source, Source::Slot(..))
    }

    /// The kind of this cell: its column's, unless the driver noted another one.
    pub fn display(&self) -> &'b Display {
        self.display
    }

    /// The cell's display text: text out of the batch as it lies there, other values written to `scratch`.
    ///
    /// Allocates only when `scratch` has to grow.
    pub fn text<'t>(&self, scratch: &'t mut String) -> &'t str
    where
        'b: 't,
    {
        if let Some(text) = self.own_text() {
            return text;
        }
        scratch.clear();
        self.write_text(scratch);
        scratch
    }

    /// Appends the cell's display text.
    pub fn write_text(&self, out: &mut String) {
        self.write_to(out);
    }

    /// The same, for more than strings.
    pub(crate) fn write_to(&self, out: &mut impl Out) {
        match self.source {
            Source::Nothing => {}
            Source::Slot(values, slot) => values.write_text(slot, out),
            Source::Text(text) => out.push_str(text),
            Source::Bytes(bytes) => text::hex::push_bytes(out, bytes),
        }
    }

    /// Appends a part of the cell's display text, and answers where the part begins and how long the whole text is.
    ///
    /// `range` is in bytes; it is moved to where characters begin, and holds at least one when there is one.
    pub(crate) fn write_part(&self, range: Range<u64>, out: &mut String) -> (u64, u64) {
        if let Some(text) = self.own_text() {
            let part = whole_characters(text, range);
            out.push_str(&text[part.clone()]);
            return (part.start as u64, text.len() as u64);
        }
        if let Some(bytes) = self.own_bytes() {
            return text::hex::push_part(out, bytes, range);
        }
        let before = out.len();
        self.write_text(out);
        let part = whole_characters(&out[before..], range);
        let length = out.len() - before;
        out.truncate(before + part.end);
        out.drain(before..before + part.start);
        (part.start as u64, length as u64)
    }

    /// The size of the value itself, where its text has another one.
    pub(crate) fn value_bytes(&self) -> Option<u64> {
        self.own_bytes().map(|bytes| bytes.len() as u64)
    }

    /// The cell's bytes when its text is their digits.
    pub(crate) fn own_bytes(&self) -> Option<&'b [u8]> {
        match self.source {
            Source::Slot(values, slot) => values.bytes(slot),
            Source::Bytes(bytes) => Some(bytes),
            Source::Nothing | Source::Text(_) => None,
        }
    }

    /// The cell's text when the batch holds it as text.
    pub(crate) fn own_text(&self) -> Option<&'b str> {
        match self.source {
            Source::Nothing => Some(""),
            Source::Slot(values, slot) => values.text(slot),
            Source::Text(text) => Some(text),
            Source::Bytes(_) => None,
        }
    }

    /// Whether the cell's text is of visible ASCII without quotes, commas and backslashes, and never empty: its type has no other.
    pub(crate) fn is_tame(&self) -> bool {
        matches!(self.source, Source::Slot(values, _) if values.are_tame())
    }

    /// The elements, when the cell is an Arrow list. An array that the driver sent as text, or that is text everywhere, has none.
    pub(crate) fn elements(&self) -> Option<impl Iterator<Item = Cell<'b>>> {
        let Source::Slot(values, slot) = self.source else { return None };
        let Display::Array(inner) = self.display else { return None };
        let Elements { values, slots } = values.elements(slot)?;
        // Lists of any depth share one kind; only the innermost elements have the kind inside.
        let display = if values.is_list() { self.display } else { inner.as_ref() };
        Some(slots.map(move |slot| Cell::of_slot(values, slot, display)))
    }
}

/// A range of bytes, moved to where characters begin; of one character at least when there is one at its start.
fn whole_characters(text: &str, range: Range<u64>) -> Range<usize> {
    let at_most = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let start = text.floor_char_boundary(at_most(range.start));
    let end = text.floor_char_boundary(at_most(range.end));
    start..if end > start { end } else { text.ceil_char_boundary((start + 1).min(text.len())) }
}
