//! What stands in quotes.

use super::{Lexer, is_space};
use crate::{
    dialect::Backslashes,
    token::{TokenKind, Unterminated},
};

impl Lexer<'_> {
    /// A literal; `quote` is where its opening quote stands.
    pub(super) fn string(&self, quote: usize) -> (TokenKind, usize) {
        let escapes = self.dialect.backslashes == Backslashes::AllStrings;
        match self.closing_quote(quote, escapes) {
            Some(end) => (TokenKind::String, end),
            None => (TokenKind::Unterminated(Unterminated::String), self.sql.len()),
        }
    }

    /// A literal with backslash escapes that may go on in quotes on a later line.
    ///
    /// Only here do the parts have to be one token: in the later ones backslashes escape as well, although no `E`
    /// stands before them.
    pub(super) fn e_string(&self, quote: usize) -> (TokenKind, usize) {
        let mut part = quote;
        loop {
            let Some(end) = self.closing_quote(part, true) else {
                return (TokenKind::Unterminated(Unterminated::String), self.sql.len());
            };
            let Some(next) = self.continuation(end) else { return (TokenKind::String, end) };
            part = next;
        }
    }

    /// An identifier whose opening quote stands at `quote`.
    pub(super) fn identifier(&self, quote: usize) -> (TokenKind, usize) {
        match self.closing_quote(quote, false) {
            Some(end) => (TokenKind::QuotedIdentifier, end),
            None => (TokenKind::Unterminated(Unterminated::QuotedIdentifier), self.sql.len()),
        }
    }

    /// `[identifier]`, in which nothing can be escaped.
    pub(super) fn bracket_identifier(&self, start: usize) -> (TokenKind, usize) {
        match self.sql[start..].find(']') {
            Some(length) => (TokenKind::QuotedIdentifier, start + length + 1),
            None => (TokenKind::Unterminated(Unterminated::QuotedIdentifier), self.sql.len()),
        }
    }

    /// `$tag$text$tag$`, whose text starts at `text`.
    pub(super) fn dollar_quote(&self, start: usize, text: usize) -> (TokenKind, usize) {
        let tag = &self.sql[start..text];
        match self.sql[text..].find(tag) {
            Some(length) => (TokenKind::String, text + length + tag.len()),
            None => (TokenKind::Unterminated(Unterminated::DollarQuote), self.sql.len()),
        }
    }

    /// The end after the quote that closes the one at `open`. A doubled quote stands for itself.
    fn closing_quote(&self, open: usize, backslash_escapes: bool) -> Option<usize> {
        let quote = self.byte(open)?;
        let mut at = open + 1;
        loop {
            let byte = self.byte(at)?;
            if byte == quote {
                if self.byte(at + 1) != Some(quote) {
                    return Some(at + 1);
                }
                at += 2;
            } else if byte == b'\\' && backslash_escapes {
                at += 2;
            } else {
                at += 1;
            }
        }
    }

    /// Where a literal that ended at `end` goes on: at a quote after white space and line comments with at least one
    /// line break.
    fn continuation(&self, end: usize) -> Option<usize> {
        let mut at = end;
        let mut line_broken = false;
        loop {
            match self.byte(at)? {
                b'\'' => return line_broken.then_some(at),
                byte if is_space(byte) => {
                    line_broken |= matches!(byte, b'\n' | b'\r');
                    at += 1;
                }
                b'-' if self.byte(at + 1) == Some(b'-') => at = self.line_end(at),
                _ => return None,
            }
        }
    }
}
