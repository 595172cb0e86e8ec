//! A text without its values.

mod place;

use self::place::Place;
use crate::{
    dialect::{Dialect, DoubleQuotes},
    lexer::lex,
    token::{Token, TokenKind},
};

/// What stands for a value.
const HIDDEN: char = '?';

/// Replaces every literal and number by `?` and keeps the rest; comments stay as `--?` or `/*?*/`.
///
/// What a database may take for a literal is one here ([`DoubleQuotes::Either`]). A name in quotes may be a value that
/// somebody put in the wrong ones, so it stays only where values do not stand: beside the dot of a longer name, and behind
/// `from`, `join`, `into`, `update` and `table`. One that is more than a plain word goes there too.
///
/// `None`: it is not sure what is code and what a value, so that nothing may be shown. A quote that is missing or one too
/// many turns code and values around from there on, and the text may still be whole to the lexer. So it is not sure
///
/// - where a piece has no end;
/// - where a literal touches something that no literal touches, as in `'it's'` or `'%it'%'`, or a name in quotes does;
/// - where quotes, line breaks or the start of a comment stand in a literal or in a name, but for doubled and escaped
///   quotes, or quotes in a comment;
/// - where a backslash or a dollar stands alone, or dollars stand in a word;
/// - where a word has signs that are no letters, such as the quotes of a text that was laid out for people, or a backtick is
///   no quote;
/// - where a command of psql stands, which may be a row of data, or `copy … from stdin`, which rows of data follow;
/// - where a word without quotes stands behind `password` or `identified by`.
///
/// Other words stay: names of tables, columns and parameters, and a value elsewhere that somebody wrote without quotes,
/// which is a name to the database.
pub fn redact(sql: &str, dialect: &Dialect) -> Option<String> {
    let mut redacted = String::with_capacity(sql.len());
    let mut before: Option<(TokenKind, &str)> = None;
    let mut place = Place::default();
    for Token { kind, range } in lex(sql, dialect) {
        let (text, rest) = (&sql[range.clone()], &sql[range.end..]);
        let is_apart = before.is_none_or(|(kind_before, before)| may_touch(kind_before, before, kind, text));
        if !is_apart || !is_sure(kind, text, dialect) || !place.allows(kind, text) {
            return None;
        }
        match kind {
            TokenKind::String | TokenKind::Number => redacted.push(HIDDEN),
            TokenKind::QuotedIdentifier if place.is_of_name(rest) => {
                redact_name(text, dialect, &mut redacted);
            }
            TokenKind::QuotedIdentifier => redacted.push(HIDDEN),
            TokenKind::Comment => redacted.push_str(hidden_comment(text)),
            _ => redacted.push_str(text),
        }
        place.pass(kind, text);
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
        TokenKind::Comment => !(has_quotes(text) || text.contains("$$")),
        // No database runs a script that has one. What looks like one may be the end of COPY's data, or stand in a row.
        TokenKind::BackslashCommand => false,
        TokenKind::Operator => !(matches!(text, "\\" | "`") || text == "$" && dialect.dollar_quotes),
        // What follows it without a space, a dollar quote too, is taken for the rest of a word.
        TokenKind::Word if dialect.dollar_quotes && text.matches('$').nth(1).is_some() => false,
        TokenKind::Word | TokenKind::Parameter | TokenKind::Number => {
            text.chars().all(|sign| !may_quote(sign))
        }
        TokenKind::Whitespace | TokenKind::Semicolon => true,
    }
}

/// Whether a sign that the lexer takes for a letter, as it does all beyond ASCII, is none. Quotes of all scripts are among
/// these, and spaces; letters that look like quotes are told by their numbers.
fn may_quote(sign: char) -> bool {
    !sign.is_ascii() && (!sign.is_alphanumeric() || ('\u{2b0}'..='\u{2ff}').contains(&sign))
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
        (TokenKind::Operator, _) if is_quoted(after) => !matches!(before_text, ")" | "]" | "}" | "%"),
        (TokenKind::String, TokenKind::Operator) => !matches!(after_text, "(" | "[" | "{" | "%"),
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
