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
/// line. A name in quotes that is more than a plain word goes too.
///
/// `None`: it is not sure what is code and what a value, so that nothing may be shown. A quote that is missing or one too
/// many turns code and values around from there on, and the text may still be whole to the lexer. So it is not sure
///
/// - where a piece has no end;
/// - where a literal touches something that no literal touches, as in `'it's'`, or a name in quotes does;
/// - where quotes, line breaks or the start of a comment stand in a literal or in a name, but for doubled and escaped
///   quotes, or quotes in a comment;
/// - where a backslash or a dollar stands alone, or dollars stand in a word.
///
/// Names of tables, columns and parameters stay, and so does a value that somebody wrote without quotes, which is a name
/// to the database.
pub fn redact(sql: &str, dialect: &Dialect) -> Option<String> {
    let mut redacted = String::with_capacity(sql.len());
    let mut before: Option<(TokenKind, &str)> = None;
    for Token { kind, range } in lex(sql, dialect) {
        let text = &sql[range];
        let is_apart = before.is_none_or(|(kind_before, before)| may_touch(kind_before, before, kind, text));
        if !is_apart || !is_sure(kind, text, dialect) {
            return None;
        }
        match kind {
            TokenKind::String | TokenKind::Number | TokenKind::BackslashCommand => redacted.push(HIDDEN),
            TokenKind::QuotedIdentifier => redact_name(text, dialect, &mut redacted),
            TokenKind::Comment => redacted.push_str(hidden_comment(text)),
            _ => redacted.push_str(text),
        }
        before = Some((kind, text));
    }
    Some(redacted)
}

/// Whether a piece can be what the lexer takes it for.
fn is_sure(kind: TokenKind, text: &str, dialect: &Dialect) -> bool {
    match kind {
        TokenKind::Unterminated(_) => false,
        // Its text ends where its own mark comes again, which nobody writes by mistake. What is left are marks that are one
        // sign, and may be of two literals that lie around what this takes for one.
        TokenKind::String if text.starts_with('$') => !(text.starts_with("$$") && has_quotes(text)),
        TokenKind::String => !(text.contains('\n') || text.contains('\r') || swallows(text, dialect)),
        TokenKind::QuotedIdentifier => {
            let quotes = inside(text).contains(['\'', '"', '`', '[', ']', '\n', '\r']);
            !(quotes || swallows(text, dialect))
        }
        TokenKind::Comment | TokenKind::BackslashCommand => !(has_quotes(text) || text.contains("$$")),
        TokenKind::Operator => !(text == "\\" || text == "$" && dialect.dollar_quotes),
        // What follows it without a space, a dollar quote too, is taken for the rest of a word.
        TokenKind::Word => !dialect.dollar_quotes || text.matches('$').nth(1).is_none(),
        TokenKind::Number | TokenKind::Whitespace | TokenKind::Parameter | TokenKind::Semicolon => true,
    }
}

/// Whether something begins in the quotes that would be code, did they not stand where they do.
fn swallows(text: &str, dialect: &Dialect) -> bool {
    text.contains("--")
        || text.contains("/*")
        || (dialect.hash_comments && text.contains('#'))
        || (dialect.dollar_quotes && text.contains("$$"))
}

fn has_quotes(text: &str) -> bool {
    text.contains(['\'', '"', '`', '['])
}

/// Whether one piece may follow the other directly.
fn may_touch(before: TokenKind, before_text: &str, after: TokenKind, after_text: &str) -> bool {
    let is_quoted = |kind| matches!(kind, TokenKind::String | TokenKind::QuotedIdentifier);
    let is_free = |kind| matches!(kind, TokenKind::Whitespace | TokenKind::Semicolon | TokenKind::Comment);
    match (before, after) {
        (TokenKind::Operator, _) if is_quoted(after) => !matches!(before_text, ")" | "]" | "}"),
        (TokenKind::String, TokenKind::Operator) => !matches!(after_text, "(" | "[" | "{"),
        (TokenKind::QuotedIdentifier, TokenKind::Operator) => true,
        _ if is_quoted(before) => is_free(after),
        _ if is_quoted(after) => is_free(before),
        _ => true,
    }
}

/// What stands between the quotes.
fn inside(name: &str) -> &str {
    let start = name.find(['"', '`', '[']).map_or(0, |at| at + 1);
    name.get(start..name.len() - 1).unwrap_or_default()
}

/// A name is shown when it is a plain word, and cannot be a literal.
fn redact_name(name: &str, dialect: &Dialect, redacted: &mut String) {
    let may_be_literal = dialect.double_quotes == DoubleQuotes::Either && name.starts_with('"');
    let word = inside(name);
    let is_plain = word.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && word.chars().all(|one| one.is_alphanumeric() || one == '_' || one == '$');
    if is_plain && !may_be_literal {
        redacted.push_str(name);
    } else {
        redacted.push(HIDDEN);
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
