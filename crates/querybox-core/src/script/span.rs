//! Places in a text, as those count who ask.

use std::ops::Range;

/// A place in a text, as an editor says it. Behind the text, or inside of a character, the next one before is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPlace {
    /// In bytes of UTF-8.
    Byte(usize),
    /// In units of UTF-16.
    Utf16(usize),
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptSpan {
    pub start: ScriptPlace,
    pub end: ScriptPlace,
}

/// A place between two characters of a text, in both counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScriptPlace {
    pub byte: usize,
    pub utf16: usize,
}

/// The byte of a place.
pub(super) fn byte_of(text: &str, place: TextPlace) -> usize {
    match place {
        TextPlace::Byte(byte) => text.floor_char_boundary(byte),
        TextPlace::Utf16(units) => {
            let mut before = 0;
            let is_behind = |(_, character): &(usize, char)| {
                before += character.len_utf16();
                before > units
            };
            text.char_indices().find(is_behind).map_or(text.len(), |(byte, _)| byte)
        }
    }
}

/// Counts along a text, so that all places of it together take time linear in the text.
pub(super) struct Measure<'a> {
    text: &'a str,
    at: ScriptPlace,
}

impl<'a> Measure<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: ScriptPlace::default() }
    }

    /// The place of a byte, which lies between characters and not before the one that was asked for last.
    pub(super) fn place(&mut self, byte: usize) -> ScriptPlace {
        let passed = &self.text[self.at.byte..byte];
        let units = if passed.is_ascii() { passed.len() } else { passed.encode_utf16().count() };
        self.at = ScriptPlace { byte, utf16: self.at.utf16 + units };
        self.at
    }

    pub(super) fn span(&mut self, range: Range<usize>) -> ScriptSpan {
        ScriptSpan { start: self.place(range.start), end: self.place(range.end) }
    }
}
