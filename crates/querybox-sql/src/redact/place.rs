//! What stands before a piece, as far as it tells whether the piece may be a value.

use super::inside;
use crate::token::TokenKind;

/// Names of passwords. What stands behind them is one, in quotes or not.
const PASSWORDS: [&str; 4] = ["password", "passwd", "pwd", "passphrase"];
/// What may stand between a password's name and the password.
const BETWEEN: [&str; 8] = ["is", "not", "in", "like", "ilike", "to", "for", "by"];
/// What tells that a password's name was that of a column, or that there is none.
const NO_PASSWORD: [&str; 11] =
    ["null", "from", "text", "varchar", "char", "character", "bytea", "and", "or", "asc", "desc"];
/// Words that the name of a table follows, and no value.
const BEFORE_TABLE: [&str; 4] = ["join", "into", "update", "table"];

/// A place in a statement.
#[derive(Debug, Default)]
pub(super) struct Place<'a> {
    /// The piece before, but for white space and comments.
    before: Option<(TokenKind, &'a str)>,
    /// A dot directly before, and a name directly before that.
    is_behind_name: bool,
    /// A table's name is next.
    is_before_table: bool,
    /// A password is next.
    is_before_password: bool,
    /// The statement copies something.
    copies: bool,
    /// Whether a query or a deletion stands in the text so far, and one for each parenthesis that is open around this.
    reads: bool,
    reads_around: Vec<bool>,
}

impl<'a> Place<'a> {
    /// Whether a piece can stand here without a doubt of what follows or what it is.
    pub(super) fn allows(&self, kind: TokenKind, text: &str) -> bool {
        if kind != TokenKind::Word {
            return true;
        }
        let is_password =
            self.is_before_password && !is_one_of(text, &BETWEEN) && !is_one_of(text, &NO_PASSWORD);
        let is_data = self.copies && text.eq_ignore_ascii_case("stdin");
        !(is_password || is_data)
    }

    /// Whether a piece in quotes is a name here, and no value in the wrong quotes. `rest`: what follows it.
    pub(super) fn is_of_name(&self, rest: &str) -> bool {
        let mut rest = rest.chars();
        let goes_on = rest.next() == Some('.')
            && rest.next().is_some_and(|sign| sign.is_alphabetic() || "_\"`[*".contains(sign));
        !self.is_before_password && (goes_on || self.is_behind_name || self.is_before_table)
    }

    /// Goes on behind a piece.
    pub(super) fn pass(&mut self, kind: TokenKind, text: &'a str) {
        let was_name = matches!(self.before, Some((TokenKind::Word | TokenKind::QuotedIdentifier, _)));
        match kind {
            TokenKind::Whitespace | TokenKind::Comment => {
                self.is_behind_name = false;
                return;
            }
            TokenKind::Semicolon => {
                *self = Place::default();
                return;
            }
            TokenKind::Word => self.pass_word(text),
            TokenKind::Operator => {
                match text {
                    "(" => self.reads_around.push(std::mem::take(&mut self.reads)),
                    ")" => self.reads = self.reads_around.pop().unwrap_or_default(),
                    _ => {}
                }
                self.is_before_password &= !matches!(text, "," | ")" | ".");
            }
            TokenKind::QuotedIdentifier => self.is_before_password = is_one_of(inside(text), &PASSWORDS),
            // A password may begin with digits.
            TokenKind::Number => {}
            TokenKind::String
            | TokenKind::Parameter
            | TokenKind::BackslashCommand
            | TokenKind::Unterminated(_) => self.is_before_password = false,
        }
        self.is_behind_name = was_name && kind == TokenKind::Operator && text == ".";
        if kind != TokenKind::Word {
            self.is_before_table = false;
        }
        self.before = Some((kind, text));
    }

    fn pass_word(&mut self, word: &str) {
        let is_behind = |other: &str| matches!(self.before, Some((TokenKind::Word, before)) if before.eq_ignore_ascii_case(other));
        // In `substring(a from b)` and `is distinct from b` it is a value that follows.
        let is_from = word.eq_ignore_ascii_case("from") && self.reads && !is_behind("distinct");
        let is_identified_by = word.eq_ignore_ascii_case("by") && is_behind("identified");
        self.is_before_table = is_from || is_one_of(word, &BEFORE_TABLE);
        self.is_before_password = is_identified_by
            || is_one_of(word, &PASSWORDS)
            || self.is_before_password && is_one_of(word, &BETWEEN);
        self.copies |= word.eq_ignore_ascii_case("copy");
        self.reads |= is_one_of(word, &["select", "delete"]);
    }
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| word.eq_ignore_ascii_case(one))
}
