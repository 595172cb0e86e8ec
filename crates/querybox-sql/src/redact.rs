//! A text without its values.

use crate::{
    dialect::{Dialect, DoubleQuotes},
    lexer::lex,
    token::{Token, TokenKind},
};

/// What stands for a value.
const HIDDEN: char = '?';

/// Replaces every literal and number by `?` and keeps the rest; comments stay as `--?` or `/*?*/`.
///
/// What a database may take for a literal is one here ([`DoubleQuotes::Either`]), and so is a psql command with its
/// line. Where the quotes are broken, nobody can tell code from values: when a literal is never closed, or a word
/// touches its end as in `'it's'`, all from the first quote of the text on is one `?`.
///
/// Names of tables, columns and parameters stay, in quotes too, and so does a value that somebody wrote without
/// quotes, which is a name to the database.
pub fn redact(sql: &str, dialect: &Dialect) -> String {
    let mut redacted = String::with_capacity(sql.len());
    // Where the first piece in quotes starts in the redacted text.
    let mut first_quote = None;
    let mut literal_end = None;
    for Token { kind, range } in lex(sql, dialect) {
        let text = &sql[range.clone()];
        let is_broken = match kind {
            TokenKind::Unterminated(_) => true,
            TokenKind::Word => literal_end == Some(range.start),
            _ => false,
        };
        if is_broken {
            redacted.truncate(first_quote.unwrap_or(redacted.len()));
            redacted.push(HIDDEN);
            return redacted;
        }
        if matches!(kind, TokenKind::String | TokenKind::QuotedIdentifier) {
            first_quote.get_or_insert(redacted.len());
        }
        match kind {
            TokenKind::Number | TokenKind::BackslashCommand => redacted.push(HIDDEN),
            TokenKind::Comment => redacted.push_str(hidden_comment(text)),
            _ if is_literal(kind, text, dialect) => {
                redacted.push(HIDDEN);
                literal_end = Some(range.end);
            }
            _ => redacted.push_str(text),
        }
    }
    redacted
}

fn is_literal(kind: TokenKind, text: &str, dialect: &Dialect) -> bool {
    match kind {
        TokenKind::String => true,
        TokenKind::QuotedIdentifier => dialect.double_quotes == DoubleQuotes::Either && text.starts_with('"'),
        _ => false,
    }
}

fn hidden_comment(comment: &str) -> &'static str {
    if comment.starts_with("/*") {
        "/*?*/"
    } else if comment.starts_with('#') {
        "#?"
    } else {
        "--?"
    }
}
