//! Which signs are parameters.

use querybox_sql::{Dialect, Marker, parameters};

/// The parameters as they are written.
fn written(dialect: &Dialect, sql: &str) -> Vec<String> {
    parameters(sql, dialect).into_iter().map(|parameter| sql[parameter.range].to_owned()).collect()
}

#[track_caller]
fn check(sql: &str, expected: &[&str]) {
    assert_eq!(written(&Dialect::postgres(), sql), expected, "{sql}");
}

#[test]
fn names_and_numbers_are_found_where_values_go() {
    check("select $1, :name, $23::int + :_n1", &["$1", ":name", "$23", ":_n1"]);
    check("where a=:a and b>:b or(:c)or x in (:d,:é) limit :n", &[":a", ":b", ":c", ":d", ":é", ":n"]);
    check("f(a := :x, b:=:y)", &[":x", ":y"]);
    check(":a :a", &[":a", ":a"]);
}

#[test]
fn casts_and_slices_hold_none() {
    check("a::date, '1'::int, (b)::text, 1::int8, \"c\"::text, x :: y, :p::date", &[":p"]);
    check(
        "a[1:n], a[lo:hi], a[f(x):n], a[b[1]:n], a[$1:n], a['1':n], a[\"x\":n], a[$$1$$:n], a[: n]",
        &["$1"],
    );
    check("a[:n], a[1 :m]", &[":n", ":m"]);
}

#[test]
fn literals_comments_and_identifiers_hold_none() {
    check("':a' E'\\':a' $$:a $1$$ \":a\" -- :a\n /* :a $1 */", &[]);
    check("a$1 $a :1 $ : $99999999999 a:b $:a", &[]);
}

#[test]
fn sqlite_has_five_forms() {
    let sql = "?, ?2, :a, @b, $c, [?], \"?\", '?', `?`";
    assert_eq!(written(&Dialect::sqlite(), sql), ["?", "?2", ":a", "@b", "$c"]);
    let markers: Vec<Marker> =
        parameters(sql, &Dialect::sqlite()).into_iter().map(|parameter| parameter.marker).collect();
    let named = |name: &str| Marker::Named(name.to_owned());
    assert_eq!(markers, [Marker::Positional, Marker::Numbered(2), named("a"), named("b"), named("c")]);
}

#[test]
fn a_question_mark_is_an_operator_of_postgres() {
    check("a ? 'b' and a ?| array['c'] and c @> :d and e @? :f", &[":d", ":f"]);
}
