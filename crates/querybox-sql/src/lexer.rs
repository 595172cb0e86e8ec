//! Text to tokens. Total: every text is cut, no character is lost, and the time is linear.

mod quoted;

use crate::{
    dialect::{Backslashes, Dialect, DoubleQuotes, ParameterStyle},
    token::{Token, TokenKind, Unterminated},
};

/// Cuts a text into tokens, whose ranges put together are the text.
///
/// A `:` starts a [`TokenKind::Parameter`] when a letter or `_` follows directly, and nothing that could be the left side
/// of a cast or of an array's slice stands directly before: no letter, digit, `_`, `$`, `:`, quote, `)` or `]`. So
/// `x::date`, `a[1:n]` and `a[lo:hi]` have none; `a[:n]` and `a[1 :n]` have one (such a slice is written `a[1 : n]`).
pub fn lex<'a>(sql: &'a str, dialect: &'a Dialect) -> impl Iterator<Item = Token> + 'a {
    Lexer { sql, dialect, at: 0 }
}

struct Lexer<'a> {
    sql: &'a str,
    dialect: &'a Dialect,
    /// Where the next token starts.
    at: usize,
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let first = self.byte(self.at)?;
        let (kind, end) = self.token_at(first);
        let range = self.at..end;
        debug_assert!(
            self.sql.is_char_boundary(end) && !range.is_empty(),
            "a token is cut between characters"
        );
        self.at = end;
        Some(Token { kind, range })
    }
}

impl Lexer<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.sql.as_bytes().get(at).copied()
    }

    /// The kind and the end of the token that starts here.
    fn token_at(&self, first: u8) -> (TokenKind, usize) {
        let start = self.at;
        let second = self.byte(start + 1);
        match first {
            _ if is_space(first) => (TokenKind::Whitespace, self.end_of(start, is_space)),
            b';' => (TokenKind::Semicolon, start + 1),
            b'-' if second == Some(b'-') => (TokenKind::Comment, self.line_end(start)),
            b'#' if self.dialect.hash_comments => (TokenKind::Comment, self.line_end(start)),
            b'/' if second == Some(b'*') => self.block_comment(start),
            b'\\' if self.dialect.backslash_commands => {
                (TokenKind::BackslashCommand, self.end_of(start, |byte| byte != b'\n' && byte != b'\r'))
            }
            b'\'' => self.string(start),
            b'"' if self.dialect.double_quotes == DoubleQuotes::String => self.string(start),
            b'"' => self.identifier(start),
            b'`' if self.dialect.backtick_identifiers => self.identifier(start),
            b'[' if self.dialect.bracket_identifiers => self.bracket_identifier(start),
            b'0'..=b'9' => (TokenKind::Number, self.number_end(start)),
            b'.' if second.is_some_and(|byte| byte.is_ascii_digit()) => {
                (TokenKind::Number, self.number_end(start))
            }
            _ if starts_word(first) => self.word(start),
            b'$' => self.dollar(start),
            b':' | b'?' | b'@' => self.marker(start, first, second),
            _ => (TokenKind::Operator, start + 1),
        }
    }

    /// The end of the run of such bytes that starts here.
    fn end_of(&self, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = &self.sql.as_bytes()[start..];
        start + rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len())
    }

    fn line_end(&self, start: usize) -> usize {
        let dialect = self.dialect;
        self.end_of(start, |byte| byte != b'\n' && !(byte == b'\r' && dialect.carriage_return_ends_line))
    }

    fn block_comment(&self, start: usize) -> (TokenKind, usize) {
        let mut depth = 1_usize;
        let mut at = start + 2;
        while let Some(byte) = self.byte(at) {
            match (byte, self.byte(at + 1)) {
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return (TokenKind::Comment, at);
                    }
                }
                (b'/', Some(b'*')) if self.dialect.nested_block_comments => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        (TokenKind::Unterminated(Unterminated::Comment), at)
    }

    /// A word, or a literal whose prefix looks like one.
    fn word(&self, start: usize) -> (TokenKind, usize) {
        let rest = &self.sql.as_bytes()[start..];
        let e_strings = self.dialect.backslashes == Backslashes::EStrings;
        match rest {
            [b'e' | b'E', b'\'', ..] if e_strings => self.e_string(start + 1),
            [b'u' | b'U', b'&', b'\'', ..] if e_strings => self.string(start + 2),
            [b'u' | b'U', b'&', b'"', ..] if e_strings => self.identifier(start + 2),
            [b'b' | b'B' | b'n' | b'N' | b'x' | b'X', b'\'', ..] => self.string(start + 1),
            _ => (TokenKind::Word, self.end_of(start, continues_word)),
        }
    }

    /// Letters after a number belong to it: they are digits of another base, an exponent, or a mistake.
    fn number_end(&self, start: usize) -> usize {
        let digits = |at| self.end_of(at, |byte| byte.is_ascii_digit() || byte == b'_');
        let mut at = digits(start);
        // `1..2` is a range of PL/pgSQL.
        if self.byte(at) == Some(b'.') && self.byte(at + 1) != Some(b'.') {
            at = digits(at + 1);
        }
        let is_digit = |at| self.byte(at).is_some_and(|byte| byte.is_ascii_digit());
        if let Some(b'e' | b'E') = self.byte(at)
            && let Some(b'+' | b'-') = self.byte(at + 1)
            && is_digit(at + 2)
        {
            at += 2;
        }
        // `1$2` is a number and a parameter.
        match self.byte(at) {
            Some(b'$') | None => at,
            Some(_) => self.end_of(at, continues_word),
        }
    }

    /// A dollar outside words: a literal, a parameter or nothing of sense.
    fn dollar(&self, start: usize) -> (TokenKind, usize) {
        let name_end = self.name_end(start + 1);
        if self.dialect.dollar_quotes && self.byte(name_end.unwrap_or(start + 1)) == Some(b'$') {
            return self.dollar_quote(start, name_end.unwrap_or(start + 1) + 1);
        }
        if self.dialect.has(ParameterStyle::DollarName)
            && let Some(end) = name_end
        {
            return (TokenKind::Parameter, end);
        }
        let end = self.end_of(start + 1, |byte| byte.is_ascii_digit());
        // A number that no protocol can say is no parameter; the database will refuse it.
        if self.dialect.has(ParameterStyle::DollarNumber) && self.sql[start + 1..end].parse::<u32>().is_ok() {
            return (TokenKind::Parameter, end);
        }
        (TokenKind::Operator, start + 1)
    }

    fn marker(&self, start: usize, first: u8, second: Option<u8>) -> (TokenKind, usize) {
        let has = |style| self.dialect.has(style);
        if first == b'?' {
            let end = self.end_of(start + 1, |byte| byte.is_ascii_digit());
            if has(ParameterStyle::QuestionNumber) && self.sql[start + 1..end].parse::<u32>().is_ok() {
                return (TokenKind::Parameter, end);
            }
            let kind =
                if has(ParameterStyle::QuestionMark) { TokenKind::Parameter } else { TokenKind::Operator };
            return (kind, start + 1);
        }
        if first == b':' && matches!(second, Some(b':' | b'=')) {
            return (TokenKind::Operator, start + 2);
        }
        let opens = match first {
            b':' => has(ParameterStyle::ColonName) && self.may_hold_parameter(start),
            _ => has(ParameterStyle::AtName),
        };
        match self.name_end(start + 1) {
            Some(end) if opens => (TokenKind::Parameter, end),
            _ => (TokenKind::Operator, start + 1),
        }
    }

    /// Whether a colon here can start a parameter, as far as what stands directly before it tells.
    fn may_hold_parameter(&self, start: usize) -> bool {
        let before = start.checked_sub(1).and_then(|at| self.byte(at));
        !before.is_some_and(|byte| continues_word(byte) || b":)]'\"".contains(&byte))
    }

    /// The end of a parameter's name or a dollar quote's tag: as a word, but without dollars.
    fn name_end(&self, start: usize) -> Option<usize> {
        let first = self.byte(start)?;
        starts_word(first).then(|| self.end_of(start, |byte| continues_word(byte) && byte != b'$'))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn continues_word(byte: u8) -> bool {
    starts_word(byte) || byte.is_ascii_digit() || byte == b'$'
}
