//! Texts made to be slow take no more time than others of their length.

use std::time::{Duration, Instant};

use querybox_sql::{
    AskedLimits, Dialect, asked_parameters, outline, parameters, redact, rewrite_named, split, statement_at,
};

const UNLIMITED: AskedLimits = AskedLimits { count_max: usize::MAX, name_bytes_max: usize::MAX };

/// A mebibyte of the text again and again, after a beginning.
fn check(start: &str, again: &str) {
    let sql = format!("{start}{}", again.repeat((1 << 20) / again.len()));
    for dialect in [Dialect::postgres(), Dialect::sqlite(), crate::soup::escaping()] {
        let started = Instant::now();
        // What they answer is tested elsewhere; here they only have to be done.
        let _ = split(&sql, &dialect);
        let _ = parameters(&sql, &dialect);
        let _ = redact(&sql, &dialect);
        let _ = rewrite_named(&sql, &dialect);
        let _ = statement_at(&sql, sql.len(), outline(&sql, &dialect));
        let _ = asked_parameters(&sql, &dialect, UNLIMITED);
        // Linear is some tenths of a second, even here without full optimization; quadratic is many minutes, so that a machine
        // that does much else has time.
        let took = started.elapsed();
        assert!(took < Duration::from_secs(60), "{start:?} and {again:?} took {took:?}");
    }
}

#[test]
fn a_mebibyte_of_one_sign_is_cut_in_linear_time() {
    for sign in
        ["$", "/*", "*/", "'", "\"", "`", "[", "(", "-", "\\", ";", ":", "?", ".", "1", "a", "\n", "é"]
    {
        check("", sign);
    }
}

#[test]
fn a_mebibyte_of_false_starts_is_cut_in_linear_time() {
    for again in [
        "$a ",
        "$a.",
        "$a$ $b$ ",
        "$123456789012",
        "E''\n-- c\n",
        "E''          ",
        "/*/",
        "/* */ ",
        "1e-",
        "1.",
        ":a",
        " :a",
        "?1",
        "create function begin atomic ",
        "begin atomic end; ",
        "create trigger begin; ",
        "e'\\",
        "(;)",
        "/*+*/;",
        "''a",
    ] {
        check("", again);
    }
}

#[test]
fn a_mebibyte_inside_of_something_is_cut_in_linear_time() {
    for start in ["$tag$", "$$", "'", "E'", "\"", "[", "/*", "(", "create function f() begin atomic "] {
        for again in ["$ta", "'' ", "/*", "\\", "x ; ", "]", "E'' \n"] {
            check(start, again);
        }
    }
}

#[test]
fn many_names_are_numbered_in_linear_time() {
    let sql: String = (0..150_000).map(|name| format!(" :n{name}")).collect();
    let started = Instant::now();
    let rewritten = rewrite_named(&sql, &Dialect::postgres());
    assert_eq!(rewritten.names.len(), 150_000);
    assert_eq!(rewritten.original_offset(rewritten.sql.len()), sql.len());
    assert!(started.elapsed() < Duration::from_secs(5));
}
