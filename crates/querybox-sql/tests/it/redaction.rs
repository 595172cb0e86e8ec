//! No value is left.

use proptest::prelude::*;
use querybox_sql::{Dialect, redact};

#[track_caller]
fn check(sql: &str, expected: &str) {
    assert_eq!(redact(sql, &Dialect::postgres()), expected);
}

#[test]
fn values_go_and_the_rest_stays() {
    check(
        "select a.\"b c\", $1, :name from t1 where x = 'it''s' and y in (1, -2.5e3) -- why\n and z = $t$a$t$",
        "select a.\"b c\", $1, :name from t1 where x = ? and y in (?, -?) --?\n and z = ?",
    );
    check("alter role joe password E'\\'secret' /* it */", "alter role joe password ? /*?*/");
    check("values (x'00', U&'\\0061', 'a'\n'b', 0x1F, 1::text)", "values (?, ?, ?\n?, ?, ?::text)");
}

#[test]
fn a_psql_command_goes_with_its_line() {
    check("\\c \"password=secret\"\nselect 1", "?\nselect ?");
}

#[test]
fn broken_quotes_hide_all_that_follows() {
    check("select 1, 'secret", "select ?, ?");
    check("select 1 /* secret", "select ? ?");
    check("select $a$ secret $b$", "select ?");
    check("select a, 'it's secret', b", "select a, ?");
    check("select a, 'it's secret, b", "select a, ?");
    check("select a, 'it\\'s secret', 'b'", "select a, ?");
    check("select \"a\" b\" secret", "select ?");
}

#[test]
fn double_quotes_of_sqlite_may_hold_a_value() {
    let dialect = Dialect::sqlite();
    assert_eq!(
        redact("select [a] from `b` where c = \"secret\"", &dialect),
        "select [a] from `b` where c = ?"
    );
    assert_eq!(redact("select \"it\"s secret\"", &dialect), "select ?");
    assert_eq!(redact("select 1 # 'b'", &crate::soup::escaping()), "select ? #?");
    assert_eq!(redact("select \"it\\\"s secret\", 1", &crate::soup::escaping()), "select ?, ?");
}

/// Text that closes what it opens.
const CLOSED: &[&str] = &[
    "select ",
    "a",
    "\"b;\"",
    "'c'",
    "E'\\''",
    "$$;$$",
    "$x$ ' $x$",
    "/* ' */",
    "-- '\n",
    "(",
    ")",
    ", ",
    ";",
    "::",
    ":n",
    "$1",
    "12",
    "1.5e-3",
    "\n",
    "=",
    "||",
    "create function f() begin atomic ",
    "\\d '\n",
    "é",
];

fn closed() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(CLOSED), 0..20).prop_map(|pieces| pieces.join(" "))
}

const OPENING: &[&str] = &["'", "\"", "\\", "$$", "--", "/*", "*/", "\n", ";", " ", "é", "(", "$q$"];

/// A value that can be told from all else, with what a literal may hold around it.
fn value() -> impl Strategy<Value = String> {
    let part =
        || prop::collection::vec(prop::sample::select(OPENING), 0..4).prop_map(|pieces| pieces.concat());
    (part(), part()).prop_map(|(before, after)| format!("{before}c4n4ry{after}c4n4ry"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_part_of_a_planted_literal_survives(before in closed(), after in closed(), value in value(), form in 0..7_usize) {
        let doubled = value.replace('\'', "''");
        let escaped = value.replace('\\', "\\\\").replace('\'', "\\'");
        let literal = match form {
            0 => format!("'{doubled}'"),
            1 => format!("E'{escaped}'"),
            2 => format!("U&'{doubled}'"),
            3 => format!("$canary$ {value} $canary$"),
            4 => format!("/* {} */", value.replace("/*", "").replace("*/", "")),
            5 => format!("-- {}\n", value.replace('\n', "")),
            _ => format!("E'' -- {}\n '{escaped}'", value.replace('\n', "")),
        };
        let redacted = redact(&format!("{before} {literal} {after}"), &Dialect::postgres());
        prop_assert!(!redacted.contains("c4n4ry"), "{}", redacted);
    }

    #[test]
    fn no_part_of_an_unterminated_literal_survives(before in closed(), value in value(), form in 0..4_usize) {
        let literal = match form {
            0 => format!("'{}", value.replace('\'', "''")),
            1 => format!("E'{}", value.replace('\\', "\\\\").replace('\'', "\\'")),
            2 => format!("$canary$ {value}"),
            _ => format!("/* {}", value.replace("*/", "")),
        };
        let redacted = redact(&format!("{before} {literal}"), &Dialect::postgres());
        prop_assert!(!redacted.contains("c4n4ry"), "{}", redacted);
    }

    #[test]
    fn no_digit_of_a_number_survives(before in closed(), number in 31415.0_f64..31416.0, after in closed()) {
        let redacted = redact(&format!("{before} {number} {after}"), &Dialect::postgres());
        prop_assert!(!redacted.contains("3141"), "{}", redacted);
    }

    /// A dialect's own rules decide, so a value that is a literal to SQLite must go as well.
    #[test]
    fn no_value_in_any_quotes_survives_in_sqlite(value in value(), quote in prop::sample::select(&['\'', '"'][..])) {
        let doubled = value.replace(quote, &format!("{quote}{quote}"));
        let redacted = redact(&format!("select {quote}{doubled}{quote}, a"), &Dialect::sqlite());
        prop_assert_eq!(redacted, "select ?, a");
    }
}
