//! What holds for any text, in any dialect.

use proptest::prelude::*;
use querybox_sql::{
    Backslashes, CompoundBodies, Dialect, DoubleQuotes, SplitError, TokenKind, lex, parameters, redact,
    rewrite_named, split, testkit::postgres_script,
};

/// A dialect with the facts that neither PostgreSQL nor SQLite has.
pub(crate) fn escaping() -> Dialect {
    Dialect {
        double_quotes: DoubleQuotes::String,
        backslashes: Backslashes::AllStrings,
        bracket_identifiers: false,
        hash_comments: true,
        compound_bodies: CompoundBodies::None,
        ..Dialect::sqlite()
    }
}

pub(crate) fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::postgres()), Just(Dialect::sqlite()), Just(escaping())]
}

const PIECES: &[&str] = &[
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "(",
    ")",
    ";",
    "--",
    "#",
    "/*",
    "*/",
    "/*+",
    "\n",
    "\r",
    " ",
    "\\",
    "\\d",
    "$",
    "$$",
    "$a$",
    "$a",
    "$1",
    "$99999999999",
    ":",
    "::",
    ":=",
    ":a",
    "@a",
    "?",
    "?1",
    ".",
    "1",
    "1.5",
    "1e",
    "1e-",
    "0x",
    "e'",
    "E'",
    "u&'",
    "U&\"",
    "x'",
    "a",
    "_",
    "é",
    "\u{1f418}",
    "\0",
    "create ",
    "function ",
    "trigger ",
    "begin ",
    "atomic ",
    "end",
    "case ",
    "or replace ",
    "explain ",
    "+",
    "-",
    "/",
    "*",
];

/// Text that looks like SQL, and any text.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let pieces =
        prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat());
    prop_oneof![4 => pieces, 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn tokens_put_together_are_the_text(sql in text(), dialect in dialect()) {
        let mut end = 0;
        for token in lex(&sql, &dialect) {
            prop_assert_eq!(token.range.start, end);
            prop_assert!(token.range.end > end);
            prop_assert!(sql.get(token.range.clone()).is_some(), "cut inside a character");
            end = token.range.end;
        }
        prop_assert_eq!(end, sql.len());
    }

    #[test]
    fn what_is_unterminated_is_the_last_token(sql in text(), dialect in dialect()) {
        let kinds: Vec<TokenKind> = lex(&sql, &dialect).map(|token| token.kind).collect();
        let last = kinds.len().saturating_sub(1);
        let first = kinds.iter().position(|kind| matches!(kind, TokenKind::Unterminated(_)));
        prop_assert!(first.is_none_or(|first| first == last));
    }

    #[test]
    fn statements_are_apart_and_hold_all_that_is_not_blank(sql in text(), dialect in dialect()) {
        let Ok(statements) = split(&sql, &dialect) else { return Ok(()) };
        let mut end = 0;
        for statement in &statements {
            prop_assert!(statement.range.start >= end && !statement.range.is_empty());
            end = statement.range.end;
        }
        for token in lex(&sql, &dialect) {
            let is_blank =
                matches!(token.kind, TokenKind::Whitespace | TokenKind::Comment | TokenKind::Semicolon);
            let holds = |range: &std::ops::Range<usize>| range.start <= token.range.start && token.range.end <= range.end;
            prop_assert!(is_blank || statements.iter().any(|statement| holds(&statement.range)));
        }
    }

    #[test]
    fn a_statement_split_again_is_itself(sql in text(), dialect in dialect()) {
        let Ok(statements) = split(&sql, &dialect) else { return Ok(()) };
        for statement in &statements {
            let text = statement.text(&sql);
            let again = split(text, &dialect).unwrap();
            prop_assert_eq!(again.len(), 1, "{}", text);
            prop_assert_eq!(again[0].text(text), text);
        }
    }

    #[test]
    fn a_refused_command_is_where_the_message_says(sql in text()) {
        let dialect = Dialect::postgres();
        let first = lex(&sql, &dialect).find(|token| token.kind == TokenKind::BackslashCommand);
        match (split(&sql, &dialect), first) {
            (Ok(_), None) => {}
            (Err(SplitError::BackslashCommand { command, offset, line, column }), Some(token)) => {
                prop_assert_eq!(offset, token.range.start);
                prop_assert!(sql[offset..].starts_with(&command) && command.len() <= 17);
                let text = sql.split('\n').nth(line - 1).unwrap();
                prop_assert_eq!(text.chars().nth(column - 1), Some('\\'));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn redacted_text_has_nothing_left_to_redact(seed: u64) {
        let dialect = Dialect::postgres();
        let Some(redacted) = redact(&postgres_script(seed).sql, &dialect) else { return Ok(()) };
        let is_value = |kind| matches!(kind, TokenKind::String | TokenKind::Number | TokenKind::Unterminated(_));
        prop_assert!(!lex(&redacted, &dialect).any(|token| is_value(token.kind)), "{}", redacted);
        prop_assert_eq!(redact(&redacted, &dialect), Some(redacted));
    }

    #[test]
    fn redacting_takes_any_text(sql in text(), dialect in dialect()) {
        // A hidden comment is the only thing that can be longer than what it stands for.
        prop_assert!(redact(&sql, &dialect).is_none_or(|redacted| redacted.len() <= sql.len() * 2));
    }

    #[test]
    fn rewriting_changes_nothing_but_the_named_parameters(sql in text()) {
        let dialect = Dialect::postgres();
        let rewritten = rewrite_named(&sql, &dialect);
        let before: Vec<_> = lex(&sql, &dialect).collect();
        let after: Vec<_> = lex(&rewritten.sql, &dialect).collect();
        prop_assert_eq!(before.len(), after.len());
        for (before, after) in before.into_iter().zip(after) {
            prop_assert_eq!(before.kind, after.kind);
            prop_assert_eq!(rewritten.original_offset(after.range.start), before.range.start);
            let same = sql[before.range.clone()] == rewritten.sql[after.range.clone()];
            prop_assert!(same || before.kind == TokenKind::Parameter);
        }
        prop_assert_eq!(rewritten.original_offset(rewritten.sql.len()), sql.len());
        prop_assert_eq!(parameters(&sql, &dialect).len(), parameters(&rewritten.sql, &dialect).len());
    }
}
