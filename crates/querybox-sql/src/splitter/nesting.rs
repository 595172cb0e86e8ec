//! Which semicolons lie inside a statement.

use crate::{dialect::CompoundBodies, token::TokenKind};

/// How deep in bodies and parentheses a statement is.
///
/// Statements in a body each end with a semicolon, the last one too. So the `END` of the body is one that starts
/// where a statement could; the `END` of a `CASE` and a column named `end` never do. Nothing else needs to be counted.
pub(super) struct Nesting {
    bodies: CompoundBodies,
    body_depth: usize,
    parenthesis_depth: usize,
    head: Head,
    /// Whether the last token was the word BEGIN.
    after_begin: bool,
}

/// What is known of a statement, one in a body too, by the words it starts with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// It has not started.
    Start,
    /// `CREATE` and words that say nothing yet.
    Create,
    /// It creates what may have a body.
    Holder,
    /// Anything else.
    Plain,
}

impl Nesting {
    pub(super) fn new(bodies: CompoundBodies) -> Self {
        Self { bodies, body_depth: 0, parenthesis_depth: 0, head: Head::Start, after_begin: false }
    }

    /// Takes a semicolon, and says whether it ends the whole statement.
    pub(super) fn semicolon_ends_statement(&mut self) -> bool {
        self.after_begin = false;
        if self.parenthesis_depth > 0 {
            return false;
        }
        self.head = Head::Start;
        self.body_depth == 0
    }

    /// Takes a token that is neither blank nor a semicolon that ends the statement.
    pub(super) fn token(&mut self, kind: TokenKind, text: &str) {
        match kind {
            TokenKind::Word if self.parenthesis_depth == 0 => self.word(text),
            // A semicolon in parentheses; it has been taken.
            TokenKind::Semicolon => {}
            _ => {
                self.after_begin = false;
                self.head = match self.head {
                    Head::Holder => Head::Holder,
                    Head::Start | Head::Create | Head::Plain => Head::Plain,
                };
                if self.bodies == CompoundBodies::Routines && kind == TokenKind::Operator {
                    self.parenthesis(text);
                }
            }
        }
    }

    fn parenthesis(&mut self, text: &str) {
        match text {
            "(" => self.parenthesis_depth += 1,
            ")" => self.parenthesis_depth = self.parenthesis_depth.saturating_sub(1),
            _ => {}
        }
    }

    fn word(&mut self, word: &str) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        let is_any = |keywords: &[&str]| keywords.iter().any(|keyword| is(keyword));
        let opens_body = self.head == Head::Holder
            && match self.bodies {
                CompoundBodies::None => false,
                CompoundBodies::Routines => self.after_begin && is("atomic"),
                CompoundBodies::Triggers => is("begin"),
            };
        self.after_begin = is("begin");
        if opens_body {
            self.body_depth += 1;
            self.head = Head::Start;
            return;
        }
        let creates: &[&str] = match self.bodies {
            CompoundBodies::None => &[],
            CompoundBodies::Routines => &["function", "procedure"],
            CompoundBodies::Triggers => &["trigger"],
        };
        self.head = match self.head {
            Head::Start if is("end") && self.body_depth > 0 => {
                self.body_depth -= 1;
                Head::Plain
            }
            Head::Start if is("create") => Head::Create,
            // SQLite explains the creation of a trigger.
            Head::Start if is_any(&["explain", "query", "plan"]) => Head::Start,
            Head::Create if is_any(&["or", "replace", "temp", "temporary"]) => Head::Create,
            Head::Create if is_any(creates) => Head::Holder,
            Head::Holder => Head::Holder,
            Head::Start | Head::Create | Head::Plain => Head::Plain,
        };
    }
}
