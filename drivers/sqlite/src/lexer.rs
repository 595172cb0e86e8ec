//! Tokens of SQL as SQLite's own tokenizer cuts them: enough to tell where a statement ends and what it is.
//!
//! It decides nothing about safety, and SQLite refuses a text that holds a second statement.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or an identifier without quotes.
    Word,
    /// An identifier in quotes, or a string.
    Quoted,
    /// A parameter: `?`, `?1`, `:name`, `@name`, `$name`.
    Variable,
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// A number, an operator, or what SQLite will refuse.
    Other,
}

/// One token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) range: Range<usize>,
}

impl Token<'_> {
    /// Whether it is this keyword, given in upper case.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }
}

/// The tokens of a text, without space and comments.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// The tokens from the byte `at` on.
    pub(crate) fn from(sql: &'a str, at: usize) -> Self {
        Self { sql, at }
    }

    fn skip_space(&mut self) {
        loop {
            let rest = &self.sql[self.at..];
            self.at += match rest.as_bytes() {
                [b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r', ..] => 1,
                // A byte order mark is space to SQLite, wherever it stands.
                [0xef, 0xbb, 0xbf, ..] => 3,
                [b'-', b'-', ..] => rest.find('\n').map_or(rest.len(), |at| at + 1),
                [b'/', b'*', ..] => rest[2..].find("*/").map_or(rest.len(), |at| at + 4),
                _ => return,
            };
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        let rest = &self.sql[self.at..];
        let first = rest.chars().next()?;
        let (kind, length) = match first {
            ';' => (Kind::Semicolon, 1),
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            ',' => (Kind::Comma, 1),
            '\'' | '"' | '`' => (Kind::Quoted, quoted(rest, first)),
            // Brackets have no way to write the closing one inside.
            '[' => (Kind::Quoted, rest.find(']').map_or(rest.len(), |at| at + 1)),
            '?' => (Kind::Variable, 1 + count(&rest[1..], |c| c.is_ascii_digit())),
            '$' | '@' | ':' | '#' => (Kind::Variable, variable(rest)),
            '0'..='9' => (Kind::Other, count(rest, |c| is_identifier(c) || c == '.')),
            c if is_identifier(c) => (Kind::Word, count(rest, is_identifier)),
            other => (Kind::Other, other.len_utf8()),
        };
        let range = self.at..self.at + length;
        self.at = range.end;
        Some(Token { kind, text: &self.sql[range.clone()], range })
    }
}

fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// Bytes of the leading characters that are wanted.
fn count(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

/// Length of a text in quotes; a quote is doubled inside. Without an end it reaches to the end, as in SQLite.
fn quoted(text: &str, quote: char) -> usize {
    let mut inside = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = inside.next() {
        if c == quote && inside.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

/// Length of a named parameter. SQLite takes Tcl's names as well: `$a::b(anything but space)`.
fn variable(text: &str) -> usize {
    let mut at = 1;
    loop {
        let rest = &text[at..];
        if rest.starts_with("::") {
            at += 2;
        } else if rest.starts_with('(') && at > 1 {
            let inside = count(rest, |c| !c.is_ascii_whitespace() && c != ')');
            let closed = rest[inside..].starts_with(')');
            return at + inside + usize::from(closed);
        } else {
            match count(rest, is_identifier) {
                0 => return at,
                length => at += length,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        let tokens: Vec<_> = Tokens::from(sql, 0).map(|token| token.text).collect();
        assert_eq!(tokens, expected);
    }

    #[test]
    fn comments_and_space_part_tokens() {
        check("select/*;*/1 -- ;\n,\u{feff}2", &["select", "1", ",", "2"]);
        check("1 /* no end ;", &["1"]);
        check("1 -- no end ;", &["1"]);
        check("a-b/c", &["a", "-", "b", "/", "c"]);
    }

    #[test]
    fn quotes_hold_semicolons_and_their_own_doubles() {
        check(r#"'a;''b' "c;""d" `e;``f` [g;'"] ;"#, &["'a;''b'", "\"c;\"\"d\"", "`e;``f`", "[g;'\"]", ";"]);
        check("x'00;' 'no end ;", &["x", "'00;'", "'no end ;"]);
    }

    #[test]
    fn parameters_are_one_token() {
        check(
            "?,?12,:ä,@b$1,$c::d(e;'f),",
            &["?", ",", "?12", ",", ":ä", ",", "@b$1", ",", "$c::d(e;'f)", ","],
        );
        check("$c(d e", &["$c(d", "e"]);
    }

    #[test]
    fn a_word_is_whole() {
        check("größe1$ 1.5e3 🦀x", &["größe1$", "1.5e3", "🦀x"]);
    }
}
