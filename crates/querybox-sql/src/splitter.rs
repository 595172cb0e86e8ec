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
    let mut statements = Vec::new();
    let mut open = Open::default();
    let mut nesting = Nesting::new(dialect.compound_bodies);
    for Token { kind, range } in lex(&script[start..], dialect) {
        let range = start + range.start..start + range.end;
        let text = &script[range.clone()];
        match kind {
            TokenKind::BackslashCommand => return Err(refuse(script, range.start, text)),
            TokenKind::Whitespace => {}
            TokenKind::Comment => open.comment(text, range.start),
            TokenKind::Semicolon if nesting.semicolon_ends_statement() => {
                statements.extend(std::mem::take(&mut open).close());
                nesting = Nesting::new(dialect.compound_bodies);
            }
            _ => {
                nesting.token(kind, text);
                open.token(range);
            }
        }
    }
    statements.extend(open.close());
    Ok(statements)
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

    fn close(self) -> Option<Statement> {
        self.range.map(|range| Statement { range })
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
