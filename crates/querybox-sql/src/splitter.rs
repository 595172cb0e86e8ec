//! A script to its statements.

mod nesting;

use std::ops::Range;

use self::nesting::Nesting;
use crate::{
    dialect::Dialect,
    lexer::lex,
    token::{Token, TokenKind},
};

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where it lies in the script, in bytes; never empty: from its first token that is neither white space nor
    /// comment to its last, without the semicolon. A hint, `/*+ … */`, in front of it belongs to it.
    pub range: Range<usize>,
}

impl Statement {
    /// Its text; `script` is the text that was split.
    pub fn text<'a>(&self, script: &'a str) -> &'a str {
        &script[self.range.clone()]
    }
}

/// Why a script cannot be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A command of psql stands outside literals. No statement holds a backslash there, so nothing of such a script
    /// can be run as it was meant.
    #[error(
        "psql's {command} at line {line}, column {column} is not SQL; take it out or run the script with psql"
    )]
    BackslashCommand {
        /// The backslash and the command's name, without its arguments.
        command: String,
        /// Where the backslash stands, in bytes.
        offset: usize,
        /// Its line, counted from 1.
        line: usize,
        /// Its place in the line in characters, counted from 1.
        column: usize,
    },
}

/// Cuts a script at the semicolons that end a statement.
///
/// Semicolons in literals, comments, parentheses and bodies (as [`Dialect::compound_bodies`] says) end none.
/// Statements without any token are skipped. What is unterminated is the end of the last statement: the database
/// will say what is wrong with it. Splitting a statement again gives that statement.
///
/// # Errors
///
/// [`SplitError::BackslashCommand`] where the dialect has such commands.
pub fn split(script: &str, dialect: &Dialect) -> Result<Vec<Statement>, SplitError> {
    split_from(script, 0, dialect)
}

/// As [`split`], but only what stands behind the byte `start` of the script, which lies between two statements.
///
/// For what is left of a script when a statement has changed the dialect, as `SET standard_conforming_strings` does.
///
/// # Errors
///
/// As [`split`].
///
/// # Panics
///
/// When `start` lies inside of a character or beyond the script.
pub fn split_from(script: &str, start: usize, dialect: &Dialect) -> Result<Vec<Statement>, SplitError> {
    pieces(script, start, dialect)
        .map(|piece| match piece {
            Piece::Statement { range, .. } => Ok(Statement { range }),
            Piece::Command(range) => Err(refuse(script, range.start, &script[range])),
        })
        .collect()
}

/// What a script is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Statement {
        range: Range<usize>,
        /// Behind the semicolon that ends it, or where it ends itself.
        end: usize,
    },
    /// A command of psql, to the end of its line. It ends a statement that is open.
    Command(Range<usize>),
}

/// Cuts a script, from a byte on that lies between two statements.
pub(crate) fn pieces<'a>(
    script: &'a str,
    start: usize,
    dialect: &'a Dialect,
) -> impl Iterator<Item = Piece> + 'a {
    let nesting = Nesting::new(dialect.compound_bodies);
    let tokens = lex(&script[start..], dialect);
    Pieces { script, start, dialect, tokens, open: Open::default(), nesting, command: None }
}

struct Pieces<'a, T> {
    script: &'a str,
    /// Where the text of the tokens begins.
    start: usize,
    dialect: &'a Dialect,
    tokens: T,
    open: Open,
    nesting: Nesting,
    /// A command that was met while a statement was open.
    command: Option<Range<usize>>,
}

impl<T: Iterator<Item = Token>> Iterator for Pieces<'_, T> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if let Some(command) = self.command.take() {
            return Some(Piece::Command(command));
        }
        while let Some(Token { kind, range }) = self.tokens.next() {
            let range = self.start + range.start..self.start + range.end;
            let text = &self.script[range.clone()];
            match kind {
                TokenKind::BackslashCommand => {
                    self.command = Some(range);
                    let open = self.close(None);
                    return open.or_else(|| self.command.take().map(Piece::Command));
                }
                TokenKind::Whitespace => {}
                TokenKind::Comment => self.open.comment(text, range.start),
                TokenKind::Semicolon if self.nesting.semicolon_ends_statement() => {
                    if let Some(statement) = self.close(Some(range.end)) {
                        return Some(statement);
                    }
                }
                _ => {
                    self.nesting.token(kind, text);
                    self.open.token(range);
                }
            }
        }
        self.close(None)
    }
}

impl<T> Pieces<'_, T> {
    /// Ends the statement that is open, and starts another.
    fn close(&mut self, end: Option<usize>) -> Option<Piece> {
        self.nesting = Nesting::new(self.dialect.compound_bodies);
        let range = std::mem::take(&mut self.open).range?;
        Some(Piece::Statement { end: end.unwrap_or(range.end), range })
    }
}

/// The statement that is being read.
#[derive(Default)]
struct Open {
    /// Where a hint in front of it starts.
    hint: Option<usize>,
    range: Option<Range<usize>>,
}

impl Open {
    fn comment(&mut self, text: &str, start: usize) {
        // Planners read hints off the head of the query that they are given.
        if self.range.is_none() && self.hint.is_none() && text.starts_with("/*+") {
            self.hint = Some(start);
        }
    }

    fn token(&mut self, token: Range<usize>) {
        let start = match &self.range {
            Some(range) => range.start,
            None => self.hint.unwrap_or(token.start),
        };
        self.range = Some(start..token.end);
    }
}

fn refuse(script: &str, offset: usize, text: &str) -> SplitError {
    // A command's name is letters, or one sign. Long ones are cut: this goes into a message.
    let letters = text[1..].bytes().take(16).take_while(u8::is_ascii_alphanumeric).count();
    let sign = text[1..].bytes().next().is_some_and(|byte| byte.is_ascii_punctuation());
    let command = text[..1 + letters.max(usize::from(sign))].to_owned();
    let before = &script[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    SplitError::BackslashCommand {
        command,
        offset,
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}
