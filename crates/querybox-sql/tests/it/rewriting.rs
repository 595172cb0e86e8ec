//! Names replaced by numbers, and the way back.

use querybox_sql::{Dialect, NamedParameter, rewrite_named};

fn named(name: &str, number: u32) -> NamedParameter {
    NamedParameter { name: name.to_owned(), number }
}

#[test]
fn a_name_has_one_number_however_often_it_is_used() {
    let rewritten = rewrite_named("select :b, :a::text, :b, ':c'", &Dialect::postgres());
    assert_eq!(rewritten.sql, "select $1, $2::text, $1, ':c'");
    assert_eq!(rewritten.names, [named("b", 1), named("a", 2)]);
}

#[test]
fn numbers_of_the_text_are_kept() {
    let rewritten = rewrite_named("select :a, $3, $1, :b", &Dialect::postgres());
    assert_eq!(rewritten.sql, "select $4, $3, $1, $5");
    assert_eq!(rewritten.names, [named("a", 4), named("b", 5)]);
}

#[test]
fn a_text_without_names_is_the_same() {
    let sql = "select $1, 'é', a[1:2]";
    let rewritten = rewrite_named(sql, &Dialect::postgres());
    assert_eq!(rewritten.sql, sql);
    assert!(rewritten.names.is_empty());
    assert_eq!(rewritten.original_offset(9), 9);
}

#[test]
fn positions_lead_back_to_the_original() {
    let sql = "select 'é', :first, wrong, :second, bad";
    let rewritten = rewrite_named(sql, &Dialect::postgres());
    assert_eq!(rewritten.sql, "select 'é', $1, wrong, $2, bad");
    for word in ["select", ", wrong", "wrong", ", bad", "bad"] {
        let there = rewritten.sql.find(word).unwrap();
        assert_eq!(rewritten.original_offset(there), sql.find(word).unwrap(), "{word}");
    }
    // Inside of a parameter, its start.
    for (number, name) in [("$1", ":first"), ("$2", ":second")] {
        let there = rewritten.sql.find(number).unwrap();
        let here = sql.find(name).unwrap();
        assert_eq!(rewritten.original_offset(there), here);
        assert_eq!(rewritten.original_offset(there + 1), here);
        assert_eq!(rewritten.original_offset(there + 2), here + name.len());
    }
}
