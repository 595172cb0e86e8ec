//! Scripts laid out for people. Only white space is changed: each statement is read again afterwards, and stays as it was
//! when anything else would be another.

use std::{fmt, panic, sync::Arc};

use querybox_sql::{Dialect, StatementKind, TokenKind, lex, outline};
use querybox_store::DriverType;
use sqlformat::{FormatOptions, Indent, QueryParams};
use tokio::task::spawn_blocking;

use crate::{Core, NoPlugin};

/// A longer statement is no longer read by people, and is left as it is.
const STATEMENT_BYTES_MAX: usize = 256 << 10;
/// Lists and parentheses up to this width stay in one line.
const LINE_MAX: usize = 80;

/// Asks for a script laid out anew. `Debug` leaves the text out.
#[derive(Clone)]
pub struct FormatAsk {
    /// Whose SQL it is.
    pub driver_type: DriverType,
    pub text: String,
}

impl fmt::Debug for FormatAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { driver_type, text } = self;
        f.debug_struct("FormatAsk")
            .field("driver_type", driver_type)
            .field("text_bytes", &text.len())
            .finish()
    }
}

/// A script laid out anew. `Debug` leaves the text out.
#[derive(Clone, PartialEq, Eq)]
pub struct FormattedScript {
    pub text: String,
    /// Statements that are as they were, for what they mean could not be kept otherwise.
    pub left_count: usize,
}

impl fmt::Debug for FormattedScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, left_count } = self;
        f.debug_struct("FormattedScript")
            .field("text_bytes", &text.len())
            .field("left_count", left_count)
            .finish()
    }
}

impl Core {
    /// Lays a script out anew. Only its white space is other than before.
    ///
    /// # Errors
    ///
    /// There is no driver of that type, which would know how its SQL is read.
    pub async fn format_script(&self, ask: FormatAsk) -> Result<FormattedScript, NoPlugin> {
        let FormatAsk { driver_type, text } = ask;
        let Some(driver) = self.plugins.find(&driver_type).await else { return Err(NoPlugin(driver_type)) };
        let turn = Arc::clone(&self.readers).acquire_owned().await.expect("this semaphore is never closed");
        let format = move || {
            // Also when nobody waits for the answer any more.
            let _turn = turn;
            match &driver.info.dialect {
                Some(dialect) => format(&text, dialect),
                // What is no SQL has no layout that is known.
                None => FormattedScript { text, left_count: 1 },
            }
        };
        Ok(spawn_blocking(format).await.expect("laying out is total, and this runtime's threads run"))
    }
}

fn format(script: &str, dialect: &Dialect) -> FormattedScript {
    let mut text = String::with_capacity(script.len() * 2);
    let mut left_count = 0;
    let mut at = 0;
    for (number, one) in outline(script, dialect).enumerate() {
        let between = &script[at..one.range.start];
        // Comments between statements stay as they are; blanks become one empty line.
        match between.trim() {
            ";" if number > 0 => text.push_str(";\n\n"),
            _ => text.push_str(between),
        }
        let statement = &script[one.range.clone()];
        let laid_out = match one.kind {
            StatementKind::Command => None,
            _ => lay_out(statement, dialect),
        };
        left_count += usize::from(laid_out.is_none());
        text.push_str(laid_out.as_deref().unwrap_or(statement));
        at = one.range.end;
    }
    text.push_str(&script[at..]);
    FormattedScript { text, left_count }
}

/// A statement laid out anew. `None`: it would be another one.
fn lay_out(statement: &str, dialect: &Dialect) -> Option<String> {
    if statement.len() > STATEMENT_BYTES_MAX {
        return None;
    }
    let options = FormatOptions {
        indent: Indent::Spaces(2),
        max_inline_block: LINE_MAX,
        max_inline_arguments: Some(LINE_MAX),
        max_inline_top_level: Some(LINE_MAX),
        joins_as_top_level: true,
        dialect: match (dialect.bracket_identifiers, dialect.dollar_quotes) {
            (_, true) => sqlformat::Dialect::PostgreSql,
            (true, false) => sqlformat::Dialect::SQLServer,
            (false, false) => sqlformat::Dialect::Generic,
        },
        ..FormatOptions::default()
    };
    // It is made for SQL that is whole; what is typed may be anything, and no text may end a thread.
    let apart = parameters_apart(statement, dialect);
    let laid_out = panic::catch_unwind(|| sqlformat::format(&apart, &QueryParams::None, &options)).ok()?;
    let laid_out = laid_out.trim_end().to_owned();
    is_same(statement, &laid_out, dialect).then_some(laid_out)
}

/// The same statement with a blank between an operator and a parameter: `=:name` would be read as the operator `=:` and a name.
fn parameters_apart(statement: &str, dialect: &Dialect) -> String {
    let mut apart = String::with_capacity(statement.len() + 16);
    let mut is_behind_operator = false;
    for token in lex(statement, dialect) {
        let text = &statement[token.range];
        if is_behind_operator && token.kind == TokenKind::Parameter {
            apart.push(' ');
        }
        apart.push_str(text);
        is_behind_operator = token.kind == TokenKind::Operator && !matches!(text, "," | "(" | ")" | "[");
    }
    apart
}

/// What stands between two tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    Nothing,
    Blank,
    Line,
}

/// Whether two texts differ in white space alone, and only where it means nothing.
fn is_same(before: &str, after: &str, dialect: &Dialect) -> bool {
    let (mut before, mut after) = (Pieces::of(before, dialect), Pieces::of(after, dialect));
    let mut last: Option<(TokenKind, String)> = None;
    loop {
        let (Some((gap, kind, text)), Some((gap_after, kind_after, text_after))) =
            (before.next(), after.next())
        else {
            // Either both are at their ends, or one has more than the other: then the longer one took its token.
            return before.is_over && after.is_over;
        };
        let is_equal =
            kind == kind_after && text == text_after && !matches!(kind, TokenKind::Unterminated(_));
        if !is_equal || !may_change(last.as_ref(), (kind, text), gap, gap_after) {
            return false;
        }
        last = Some((kind, text.to_owned()));
    }
}

/// Whether a gap may become another one.
fn may_change(
    last: Option<&(TokenKind, String)>,
    (kind, text): (TokenKind, &str),
    gap: Gap,
    after: Gap,
) -> bool {
    let Some((last_kind, last_text)) = last else { return true };
    let is_punctuation = |text: &str| matches!(text, "," | "(" | ")");
    match (last_kind, kind) {
        // `>=` is one operator, and `> =` is none.
        (TokenKind::Operator, TokenKind::Operator) if !is_punctuation(last_text) && !is_punctuation(text) => {
            (gap == Gap::Nothing) == (after == Gap::Nothing)
        }
        // Literals with a line break between them are one.
        (TokenKind::String, TokenKind::String) => gap == after,
        // Where a function's name may not stand apart from its arguments, it does not.
        (TokenKind::Word | TokenKind::QuotedIdentifier, TokenKind::Operator) if text == "(" => {
            gap != Gap::Nothing || after == Gap::Nothing || is_keyword(last_text)
        }
        _ => true,
    }
}

/// Words that are no functions although a parenthesis may follow them.
fn is_keyword(word: &str) -> bool {
    const WORDS: [&str; 16] = [
        "in", "values", "as", "and", "or", "not", "on", "using", "exists", "over", "from", "join", "where",
        "any", "all", "filter",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Tokens without white space, each with what stands before it.
struct Pieces<'a> {
    tokens: Box<dyn Iterator<Item = (TokenKind, &'a str)> + 'a>,
    is_over: bool,
}

impl<'a> Pieces<'a> {
    fn of(text: &'a str, dialect: &'a Dialect) -> Self {
        let tokens = lex(text, dialect).map(|token| (token.kind, &text[token.range]));
        Self { tokens: Box::new(tokens), is_over: false }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (Gap, TokenKind, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let mut gap = Gap::Nothing;
        for (kind, text) in self.tokens.by_ref() {
            if kind != TokenKind::Whitespace {
                return Some((gap, kind, text.trim_end()));
            }
            gap = if text.contains(['\n', '\r']) { Gap::Line } else { Gap::Blank };
        }
        self.is_over = true;
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(script: &str, expected: &str) {
        assert_eq!(format(script, &Dialect::postgres()).text, expected);
    }

    fn check_left(script: &str) {
        let formatted = format(script, &Dialect::postgres());
        assert_eq!((formatted.text.as_str(), formatted.left_count), (script, 1));
    }

    #[test]
    fn clauses_begin_lines_and_words_keep_their_case() {
        check(
            "select a, b from t join u on u.id = t.id where a = 1 and b >= 'x  y' order by 1",
            "select a, b\nfrom t\njoin u on u.id = t.id\nwhere a = 1 and b >= 'x  y'\norder by 1",
        );
    }

    #[test]
    fn statements_stand_apart_and_comments_between_them_stay() {
        check(
            "-- first\nselect   1;select 2 ;\n\n\n-- third\nselect\n3;\n",
            "-- first\nselect 1;\n\nselect 2 ;\n\n\n-- third\nselect 3;\n",
        );
    }

    #[test]
    fn parameters_right_behind_operators_are_parameters() {
        check(
            "select a from t where b=:country and c>:min and d>=$1 and e in(:one,:two)",
            "select a\nfrom t\nwhere b = :country and c > :min and d >= $1 and e in (:one, :two)",
        );
    }

    #[test]
    fn what_would_be_another_statement_stays() {
        // A literal that has no end, and two that are one for the line break between them.
        check_left("select 'a  from   t");
        check_left("\\d   t");
    }

    #[test]
    fn a_difference_that_means_something_is_seen() {
        let same = |a: &str, b: &str| is_same(a, b, &Dialect::postgres());
        assert!(same("select a+b,f(c) from t", "select a + b, f(c)\nfrom t"));
        assert!(same("select a -- x\n, b", "select a -- x\n  , b"));
        for (before, after) in [
            ("select a >= b", "select a > = b"),
            ("select a > = b", "select a >= b"),
            ("select a ->> 'b'", "select a - >> 'b'"),
            ("select 'a'\n'b'", "select 'a' 'b'"),
            ("select 'a b'", "select 'a  b'"),
            ("select A", "select a"),
            ("select \"a\"", "select a"),
            ("select a -- x\n, b", "select a -- x, b"),
            ("select 1", "select 1, 2"),
            ("select 1, 2", "select 1"),
            ("select count(*)", "select count (*)"),
            ("select - -1", "select --1"),
            ("select $a$ x $a$", "select $a$  x $a$"),
            ("select 'a", "select 'a"),
        ] {
            assert!(!same(before, after), "{before:?} became {after:?}");
        }
    }

    #[test]
    fn what_is_asked_and_answered_is_not_printed() {
        let ask = FormatAsk { driver_type: "sqlite".parse().unwrap(), text: "select 'canary'".to_owned() };
        let answer = format(&ask.text, &Dialect::sqlite());
        let printed = format!("{ask:?} {answer:?}");
        assert!(printed.contains("text_bytes") && !printed.contains("canary"), "{printed}");
    }

    proptest! {
        /// Any text has an answer, and it is the same text but for white space.
        #[test]
        fn any_text_is_laid_out_or_stays(script in "(select|from|where|[a-c']|\\$\\$|--|/\\*|\\*/|[0-9]|\"|[-+*/<>=:;,.()\\[\\]|&?@#\\\\]|[ \n]|é){0,40}") {
            for dialect in [Dialect::postgres(), Dialect::sqlite()] {
                let formatted = format(&script, &dialect);
                let bare = |text: &str| text.chars().filter(|one| !one.is_whitespace()).collect::<String>();
                prop_assert_eq!(bare(&formatted.text), bare(&script));
            }
        }
    }
}
