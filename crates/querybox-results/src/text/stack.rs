//! A short text on the stack.

use std::fmt;

/// At most `N` bytes of text; writing more is an error.
pub(crate) struct StackText<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

/// The numbers from 0 to 99 in two digits each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

impl<const N: usize> StackText<N> {
    pub(crate) const fn new() -> Self {
        StackText { bytes: [0; N], length: 0 }
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("only text was written")
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Appends a character of ASCII.
    ///
    /// # Panics
    ///
    /// When there is no room, as in all that follow.
    pub(crate) fn push(&mut self, character: u8) {
        self.bytes[self.length] = character;
        self.length += 1;
    }

    /// Appends characters of ASCII.
    pub(crate) fn push_ascii(&mut self, text: &[u8]) {
        let end = self.length + text.len();
        self.bytes[self.length..end].copy_from_slice(text);
        self.length = end;
    }

    /// Appends so many zeros.
    pub(crate) fn push_zeros(&mut self, count: usize) {
        self.bytes[self.length..self.length + count].fill(b'0');
        self.length += count;
    }

    /// Appends a number below 100 in two digits.
    pub(crate) fn push_pair(&mut self, number: usize) {
        let [first, second] = PAIRS[number];
        self.push(first);
        self.push(second);
    }
}

impl<const N: usize> fmt::Write for StackText<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
