//! No value is left.

use proptest::prelude::*;
use querybox_sql::{Backslashes, Dialect, DoubleQuotes, redact};

use crate::soup::dialect;

#[track_caller]
fn check(sql: &str, expected: &str) {
    assert_eq!(redact(sql, &Dialect::postgres()).as_deref(), Some(expected));
}

#[track_caller]
fn hides(sql: &str, dialect: &Dialect) {
    assert_eq!(redact(sql, dialect), None);
}

#[test]
fn values_go_and_the_rest_stays() {
    check(
        "select a.\"bc\", $1, :name from t1 where x = 'it''s' and y in (1, -2.5e3) -- why\n and z = $t$a$t$",
        "select a.\"bc\", $1, :name from t1 where x = ? and y in (?, -?) --?\n and z = ?",
    );
    check("alter role joe password E'\\'secret' /* it */", "alter role joe password ? /*?*/");
    check("values (x'00', U&'\\0061', 'a' , 0x1F, 1::text)", "values (?, ?, ? , ?, ?::text)");
    check("insert into \"t\"(\"a\", \"b c\") values ('x'::text)", "insert into \"t\"(?, ?) values (?::text)");
}

#[test]
fn nothing_is_shown_beside_a_psql_command_or_data_of_copy() {
    for sql in [
        "\\c secret\nselect 1",
        "\\c \"password=secret\"\nselect 1",
        "copy people (id, name, mail) from stdin;\n1\tAda Lovelace\tada@example.org\n\\.",
        "copy people (id, name, mail) from stdin;\n1\tAda Lovelace\tada@example.org\n",
        "select 1;\nCOPY \"people\" FROM /* it */ STDIN WITH (format csv);\n1,Ada Lovelace\n",
        "\\copy people from stdin\n1\tAda Lovelace\n\\.\n",
        // The rest of a file whose beginning was left out.
        "Ada Lovelace\tada@example.org\n\\.\nselect 1",
        "Ada Lovelace\t\\N\tada@example.org\n",
    ] {
        hides(sql, &Dialect::postgres());
        if sql.contains("from stdin;") {
            hides(sql, &Dialect::sqlite());
        }
    }
    check("copy people to stdout; select stdin from t", "copy people to stdout; select stdin from t");
}

#[test]
fn a_value_in_the_wrong_quotes_goes_and_a_name_in_its_place_stays() {
    check("alter role app password \"hunter2\"", "alter role app password ?");
    check("select a from t where mail = \"ada\"", "select a from t where mail = ?");
    check("select a from t where b in (\"ada\", \"eve\")", "select a from t where b in (?, ?)");
    check("insert into t values (\"ada\")", "insert into t values (?)");
    check("select substring(a from \"ada\")", "select substring(a from ?)");
    check("select a is distinct from \"ada\"", "select a is distinct from ?");
    check("set x to \"ada\"; comment on table t is \"ada\"", "set x to ?; comment on table t is ?");
    check(
        "select \"u\".\"id\", u.\"b\" from \"users\" join \"s\".\"t\" on (select a from /* */ \"x\")",
        "select \"u\".\"id\", u.\"b\" from \"users\" join \"s\".\"t\" on (select a from /*?*/ \"x\")",
    );
    check("update \"t\" set a = \"b\"; drop table \"t\"", "update \"t\" set a = ?; drop table \"t\"");
}

#[test]
fn nothing_is_shown_beside_quotes_that_are_none_to_the_database() {
    for sql in [
        "select a from t where name = ‘Ada’ and pin = “geheim”",
        "select a from t where name = „Ada“",
        "select a from t where name = «Ada»",
        "select a from t where name = ＂Ada＂",
        "select a from t where name = ´Ada´",
        "select a from t where name = ʼAdaʼ",
        "select a from t where name = 1‘Ada Lovelace’",
        "select a from t where name = :‘Ada’",
        "select a from t where name = `Ada`",
        "select ' , a from t where b like '%secret%' and c = '",
    ] {
        hides(sql, &Dialect::postgres());
    }
    check("select größe from naïve where x = '‘’'", "select größe from naïve where x = ?");
}

#[test]
fn nothing_is_shown_where_a_password_has_no_quotes() {
    for sql in [
        "alter role app password hunter2",
        "alter role app PASSWORD /* it */ hunter2",
        "alter user app identified by hunter2",
        "update t set password = hunter2",
        "update t set password = 123-hunter",
        "select a from t where u.password not in (hunter2)",
        "select a from t where \"password\" = hunter2",
        "set password for joe = hunter2",
    ] {
        hides(sql, &Dialect::postgres());
    }
    check("alter role app password 'x' login", "alter role app password ? login");
    check("alter role app password null", "alter role app password null");
    check(
        "select a, password from t where password = $1 or password is not null",
        "select a, password from t where password = $1 or password is not null",
    );
    check("create table t (password text, a int)", "create table t (password text, a int)");
}

#[test]
fn nothing_is_shown_where_quotes_are_broken() {
    for sql in [
        "select 1, 'secret",
        "select 1 /* secret",
        "select $a$ secret $b$",
        "select a, 'it's secret', b",
        "select a, 'it's secret, b",
        "select a, 'it\\'s secret', 'b'",
        "select \"a\" b\" secret",
        "select secret', 'b'",
        "select 'a', ' 'secret' -- it's",
        "select $secret$$, 'a'",
    ] {
        hides(sql, &Dialect::postgres());
    }
}

#[test]
fn double_quotes_of_sqlite_may_hold_a_value() {
    let dialect = Dialect::sqlite();
    assert_eq!(
        redact("select [a] from `b` where c = \"secret\"", &dialect).as_deref(),
        Some("select ? from `b` where c = ?")
    );
    hides("select \"it\"s secret\"", &dialect);
    let dialect = crate::soup::escaping();
    assert_eq!(redact("select 1 # b", &dialect).as_deref(), Some("select ? #?"));
    assert_eq!(redact("select \"it\\\"s secret\", 1", &dialect).as_deref(), Some("select ?, ?"));
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

/// What stands before a value.
const PLACES: &[&str] = &[
    "where a =",
    "where a <>",
    "where a like",
    "in (",
    "values (",
    "values (1,",
    "between",
    "between 1 and",
    "set a to",
    "password",
    "is distinct from",
    "concat(",
    "a ||",
    "then",
    "limit",
    "select",
];

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
        prop_assert!(redacted.as_deref().is_none_or(|shown| !shown.contains("c4n4ry")), "{:?}", redacted);
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
        prop_assert!(redacted.as_deref().is_none_or(|shown| !shown.contains("c4n4ry")), "{:?}", redacted);
    }

    /// What people take for a literal is hidden too, where it can be told.
    #[test]
    fn no_value_survives_that_is_no_literal_to_the_database(
        before in closed(), after in closed(), form in 0..9_usize, place in prop::sample::select(PLACES), dialect in dialect(),
    ) {
        let value = match form {
            0 => "‘c4n4ry’".to_owned(),
            1 => "“it’s c4n4ry”".to_owned(),
            2 => "„eine c4n4ry“".to_owned(),
            3 => "« une c4n4ry »".to_owned(),
            4 => "＇c4n4ry＇".to_owned(),
            5 => "\u{2bc}c4n4ry\u{2bc}".to_owned(),
            6 => "`c4n4ry`".to_owned(),
            _ => "\"c4n4ry\"".to_owned(),
        };
        let bare = ["password c4n4ry", "identified by c4n4ry", "set password to c4n4ry", "copy t from stdin; c4n4ry"];
        let sql = match form {
            8 => format!("{before}; {} {after}", bare[place.len() % bare.len()]),
            _ => format!("{before} {place} {value} {after}"),
        };
        let redacted = redact(&sql, &dialect);
        prop_assert!(redacted.as_deref().is_none_or(|shown| !shown.contains("c4n4ry")), "{}: {:?}", sql, redacted);
    }

    #[test]
    fn no_digit_of_a_number_survives(before in closed(), number in 31415.0_f64..31416.0, after in closed()) {
        let redacted = redact(&format!("{before} {number} {after}"), &Dialect::postgres());
        prop_assert!(redacted.as_deref().is_none_or(|shown| !shown.contains("3141")), "{:?}", redacted);
    }

    /// A dialect's own rules decide, so a value that is a literal to SQLite must go as well.
    #[test]
    fn no_value_in_any_quotes_survives_in_sqlite(value in value(), quote in prop::sample::select(&['\'', '"'][..])) {
        let doubled = value.replace(quote, &format!("{quote}{quote}"));
        let redacted = redact(&format!("select {quote}{doubled}{quote}, a"), &Dialect::sqlite());
        prop_assert!(redacted.is_none_or(|shown| shown == "select ?, a"));
    }

    /// Nothing that is whole and plain is hidden as a whole, and none of its literals is left.
    #[test]
    fn plain_statements_are_shown_without_their_values(
        pieces in prop::collection::vec(piece(), 1..12), dialect in dialect(),
    ) {
        let sql = written(&pieces, &dialect);
        let shown = redact(&sql, &dialect);
        prop_assert!(shown.is_some(), "{}", sql);
        prop_assert!(!leaks(&shown), "{}: {:?}", sql, shown);
    }

    /// A sign too many, one too few, or the rest of the text gone: no literal is shown for code.
    #[test]
    fn one_mistake_shows_no_literal(
        pieces in prop::collection::vec(piece(), 1..12),
        dialect in dialect(),
        mistake in mistake(),
        at: prop::sample::Index,
    ) {
        let sql = written(&pieces, &dialect);
        let places: Vec<usize> = sql.char_indices().map(|(place, _)| place).collect();
        let place = places[at.index(places.len())];
        let (before, after) = sql.split_at(place);
        let broken = match mistake {
            Mistake::Cut => before.to_owned(),
            Mistake::Missing => format!("{before}{}", &after[after.chars().next().map_or(0, char::len_utf8)..]),
            Mistake::TooMuch(sign) => format!("{before}{sign}{after}"),
        };
        let shown = redact(&broken, &dialect);
        // A number that runs into a word is a name.
        prop_assert!(shown.as_deref().is_none_or(|shown| !shown.contains(MARK)), "{}: {:?}", broken, shown);
    }
}

/// A piece of a statement. What stands in literals is told by [`MARK`].
#[derive(Debug, Clone)]
enum Piece {
    Code(&'static str),
    /// A literal in single quotes.
    Single(String),
    /// One with the backslashes of the dialect, where it has them.
    Escaped(String),
    /// One in double quotes, where the dialect takes them for one.
    Double(String),
    /// One in dollar quotes, where the dialect has them.
    Dollar(String),
    Number,
}

#[derive(Debug, Clone)]
enum Mistake {
    Cut,
    Missing,
    TooMuch(&'static str),
}

const MARK: &str = "c4n4ry";
/// No other piece has these digits.
const MARKED_NUMBER: &str = "31415926";

fn leaks(shown: &Option<String>) -> bool {
    shown.as_ref().is_some_and(|shown| shown.contains(MARK) || shown.contains(MARKED_NUMBER))
}

fn piece() -> impl Strategy<Value = Piece> {
    let code = [
        "select a",
        "from t",
        "where x =",
        ",",
        "(a)",
        "and b in",
        "\"plain\"",
        "s.\"t\"",
        "|| x",
        ";",
        "-- why\n",
        "/* why */",
        "\n",
        "order by n",
        "coalesce(a, b)",
        "é",
    ];
    let around = || {
        let parts = ["", " ", ", ", "(", ")", " x ", ";", "=", "''", "e"];
        prop::collection::vec(prop::sample::select(parts.to_vec()), 0..3).prop_map(|parts| parts.concat())
    };
    let text = || (around(), around()).prop_map(|(before, after)| format!("{before}{MARK}{after}"));
    prop_oneof![
        4 => prop::sample::select(code.to_vec()).prop_map(Piece::Code),
        2 => text().prop_map(Piece::Single),
        1 => text().prop_map(Piece::Escaped),
        1 => text().prop_map(Piece::Double),
        1 => text().prop_map(Piece::Dollar),
        1 => Just(Piece::Number),
    ]
}

fn mistake() -> impl Strategy<Value = Mistake> {
    let signs = ["'", "\"", "`", "[", "]", "\\", "$", "-", "/", "*", "\n", " ", "E", "#", "''"];
    prop_oneof![
        Just(Mistake::Cut),
        Just(Mistake::Missing),
        prop::sample::select(signs.to_vec()).prop_map(Mistake::TooMuch),
    ]
}

fn written(pieces: &[Piece], dialect: &Dialect) -> String {
    let single = |text: &str| format!("'{text}'");
    let pieces: Vec<String> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Code(text) if dialect.double_quotes == DoubleQuotes::String => text.replace('"', ""),
            Piece::Code(text) => (*text).to_owned(),
            Piece::Escaped(text) => match dialect.backslashes {
                // Without the comma it would go on in quotes on the next line.
                Backslashes::EStrings => format!("E'{text}\\' {MARK}',"),
                Backslashes::AllStrings => format!("'{text}\\' {MARK}'"),
                Backslashes::Literal => single(text),
            },
            Piece::Double(text) if dialect.double_quotes != DoubleQuotes::Identifier => {
                format!("\"{}\"", text.replace("''", ""))
            }
            Piece::Dollar(text) if dialect.dollar_quotes => format!("$${}$$", text.replace("''", "")),
            Piece::Single(text) | Piece::Double(text) | Piece::Dollar(text) => single(text),
            Piece::Number => MARKED_NUMBER.to_owned(),
        })
        .collect();
    pieces.join(" ")
}
