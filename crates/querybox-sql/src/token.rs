//! The pieces of SQL text.

use std::ops::Range;

/// A piece of SQL text. The ranges of a text's tokens follow one another without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it lies in the text, in bytes; never empty.
    pub range: Range<usize>,
}

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or an identifier without quotes.
    Word,
    /// An identifier with its quotes.
    QuotedIdentifier,
    /// A literal with its quotes and its prefix, dollar quotes too.
    String,
    /// A number, with the letters that directly follow it.
    Number,
    /// A comment, without the end of its line.
    Comment,
    /// White space.
    Whitespace,
    /// One character of an operator or of punctuation; `::` and `:=` are one token.
    Operator,
    /// A parameter such as `$1` or `:name`.
    Parameter,
    /// `;`
    Semicolon,
    /// A backslash outside literals, and the rest of its line: a command of psql.
    BackslashCommand,
    /// A piece whose end is missing. It reaches to the end of the text.
    Unterminated(Unterminated),
}

/// A piece of SQL text whose end is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unterminated {
    /// A literal in quotes.
    String,
    /// A literal in dollar quotes.
    DollarQuote,
    /// An identifier in quotes.
    QuotedIdentifier,
    /// A block comment.
    Comment,
}
