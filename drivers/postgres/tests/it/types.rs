//! Every type with its edge values looks as the server's own COPY prints it, byte for byte.

use querybox_fixtures::Postgres;

use crate::{
    rendering::{assert_same, copy_csv, csv},
    server::open,
};

/// Types that have to be made first.
pub(crate) const MAKE: &str = r#"
    create extension hstore;
    create type mood as enum ('sad', 'ok', 'very "happy", indeed');
    create type pair as (a int, b text);
    create domain percent as numeric(5,2) check (value between 0 and 100);
    create domain code as text;
    create type float_range as range (subtype = float8);
    create schema "odd schema";
    create type "odd schema"."odd, type" as enum ('x');
"#;

/// A type and values of it, as expressions.
pub(crate) const TABLE: &[(&str, &[&str])] = &[
    ("bool", &["'t'", "'f'"]),
    ("int2", &["'-32768'", "'32767'", "0"]),
    ("int4", &["'-2147483648'", "'2147483647'", "0"]),
    ("int8", &["'-9223372036854775808'", "'9223372036854775807'", "0", "-1"]),
    ("oid", &["'0'", "'2147483648'", "'4294967295'"]),
    (
        "float4",
        &[
            "'1'",
            "'-0'",
            "'0.1'",
            "'1e-45'",
            "'3.4028235e38'",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "'1e6'",
            "'123456.78'",
            "'16777216'",
            "'9.8607613e-32'",
        ],
    ),
    (
        "float8",
        &[
            "'1'",
            "'-0'",
            "'0.1'",
            "'5e-324'",
            "'1.7976931348623157e308'",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "'1e15'",
            "'1e23'",
            "'0.30000000000000004'",
            "'1e-5'",
            "'0.0001'",
            "'123456789012345680'",
        ],
    ),
    (
        "numeric",
        &[
            "'0'",
            "'-0'",
            "'0.000'",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "'1e-16383'",
            "repeat('9', 1000)::numeric",
            "('0.' || repeat('123456789', 100))::numeric",
            "'1e1000'",
            "'-12345678901234567890.123'",
        ],
    ),
    ("numeric(10,2)", &["'0'", "'-0.01'", "'99999999.99'", "'-99999999.99'", "'NaN'", "'1.5'"]),
    ("numeric(38,0)", &["repeat('9', 38)::numeric", "'-' || repeat('9', 38)", "'10000'", "'1'"]),
    (
        "numeric(38,38)",
        &["('0.' || repeat('9', 38))::numeric", "'-0.00000000000000000000000000000000000001'"],
    ),
    ("numeric(39,2)", &["repeat('9', 37)::numeric", "'0.01'"]),
    ("numeric(3,-2)", &["'12345'", "'99900'", "'-50'"]),
    ("numeric(2,5)", &["'0.00012'", "'-0.00099'"]),
    ("numeric(1000,500)", &["repeat('9', 500)::numeric + 0.5"]),
    ("money", &["'-92233720368547758.08'", "'92233720368547758.07'", "'1.5'"]),
    ("percent", &["'0'", "'99.99'"]),
    ("code", &["'a,b'", "''"]),
    (
        "text",
        &[
            "''",
            "'a'",
            "E'line\\none'",
            "E'carriage\\rreturn'",
            "'\"quoted\", comma'",
            "E'tab\\t'",
            "'\\.'",
            "'NULL'",
            "' spaces '",
            "'größe 日本語 🙂'",
            "E'\\u0001\\u001b[31m'",
            "repeat('x', 100000)",
        ],
    ),
    ("varchar(5)", &["'abc'", "''"]),
    ("char(5)", &["'abc'", "''"]),
    ("bpchar", &["'abc  '"]),
    ("name", &["'a name'"]),
    ("\"char\"", &["'x'", "''", "E'\\\\377'::\"char\""]),
    ("bytea", &["''", "'\\x00ff10'", "'\\x5c78'", "decode(repeat('ab', 5000), 'hex')"]),
    ("uuid", &["'00000000-0000-0000-0000-000000000000'", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"]),
    ("json", &["'{\"a\":1,  \"a\":2}'", "'null'", "'\"text\"'", "'[1.50, 1e400]'"]),
    ("jsonb", &["'{\"a\":1,  \"a\":2}'", "'null'", "'[1.50, 1e400]'", "'\"\\u00e9\"'"]),
    ("jsonpath", &["'$.a[*] ? (@ > 1)'"]),
    ("xml", &["'<a b=\"c\">text</a>'", "'<?xml version=\"1.0\"?><a/>'"]),
    (
        "date",
        &[
            "'infinity'",
            "'-infinity'",
            "'4713-01-01 BC'",
            "'0001-01-01'",
            "'0001-12-31 BC'",
            "'1969-12-31'",
            "'2000-02-29'",
            "'9999-12-31'",
            "'10000-01-01'",
            "'5874897-12-31'",
        ],
    ),
    ("time", &["'00:00'", "'24:00'", "'23:59:59.999999'", "'13:05:07.25'", "'00:00:00.000001'"]),
    ("time(3)", &["'13:05:07.2567'"]),
    ("timetz", &["'00:00+15:59'", "'24:00-12:30'", "'13:05:07.25+00'"]),
    (
        "timestamp",
        &[
            "'infinity'",
            "'-infinity'",
            "'4713-01-01 00:00:00 BC'",
            "'0001-01-01'",
            "'1969-12-31 23:59:59.999999'",
            "'2024-02-29 13:05:07.25'",
            "'294246-12-31 23:59:59'",
            "'294247-01-10 04:00:54.775807'",
            "'294247-01-10 04:00:54.775808'",
            "'294276-12-31 23:59:59.999999'",
        ],
    ),
    ("timestamp(0)", &["'2024-02-29 13:05:07.75'"]),
    (
        "timestamptz",
        &[
            "'infinity'",
            "'-infinity'",
            "'4713-01-01 00:00:00+00 BC'",
            "'2024-02-29 13:05:07.25+05:30'",
            "'294276-12-31 23:59:59.999999+00'",
        ],
    ),
    (
        "interval",
        &[
            "'0'",
            "'1 year 2 mons 3 days 04:05:06.789'",
            "'-1 year -2 mons +3 days -04:05:06.789'",
            "'1 mon -1 sec'",
            "'178000000 years'",
            "'-00:00:00.000001'",
            "'2562047788:00:54.775807'",
        ],
    ),
    ("interval day to second(2)", &["'1 day 00:00:01.234'"]),
    ("bit(5)", &["'10101'"]),
    ("bit varying", &["''", "'1'", "repeat('10', 100)::bit varying"]),
    ("bool[]", &["'{t,NULL,f}'", "'[-1:0]={t,NULL}'"]),
    ("int2[]", &["'{-32768,NULL,32767}'", "'{{-32768},{NULL}}'"]),
    ("int4[]", &["'{}'", "'{1,NULL,-3}'", "'[2:3][0:1]={{1,2},{3,4}}'", "'{}'", "'{NULL}'", "'[1:1]={7}'"]),
    ("int8[]", &["'{-9223372036854775808,9223372036854775807}'", "'[0:1]={-9223372036854775808,NULL}'"]),
    ("int4[]", &["array(select generate_series(1, 100000))", "array_fill(7, array[2,2,2,2,2,2])"]),
    ("oid[]", &["'{0,4294967295}'", "'[0:0]={4294967295}'"]),
    (
        "text[]",
        &[
            "'{\"a,b\",\"c\\\"d\",NULL,\"NULL\",\"\",\" \",\"\\\\\"}'",
            "'[0:6]={\"a,b\",\"c\\\"d\",NULL,\"NULL\",\"\",\" \",\"\\\\\"}'",
            "'{{größe,null},{\"{\",\"}\"}}'",
            "array[repeat('x', 100000), E'line\\none', E'\\u000b']",
        ],
    ),
    ("varchar(5)[]", &["'{abc,NULL}'", "'{{abc}}'"]),
    ("char(5)[]", &["'{abc,NULL}'", "'[2:2]={abc}'"]),
    ("name[]", &["'{a,\"a name\"}'"]),
    ("\"char\"[]", &["'{x,NULL}'"]),
    ("numeric[]", &["'{1.50,NaN,1e1000}'"]),
    ("numeric(10,2)[]", &["'{1.5,NaN}'", "'{1.5,NULL,-0.01}'", "'{{1.5},{-99999999.99}}'"]),
    (
        "float8[]",
        &[
            "'{0.1,-0,1e100,Infinity}'",
            "'[0:7]={0.1,-0,1e100,Infinity,NaN,NULL,1e23,1e15}'",
            "'{{5e-324,1.7976931348623157e308},{0.30000000000000004,1e-5},{123456789012345680,-0.0001}}'",
            "array(select (sin(i) * 10.0::float8 ^ (i % 300 - 150)) from generate_series(1, 2000) as i)",
            "array[array(select (sin(i) * 10.0::float8 ^ (i % 300 - 150)) from generate_series(1, 2000) as i)]",
        ],
    ),
    (
        "float4[]",
        &[
            "'{0.1,-0,1e-45,9.8607613e-32}'",
            "'{{0.1,-0,1e-45,9.8607613e-32,16777216,123456.78,1e6,3.4028235e38,-Infinity}}'",
            "array[array(select (sin(i) * 10.0::float8 ^ (i % 60 - 30))::float4 from generate_series(1, 2000) as i)]",
        ],
    ),
    (
        "date[]",
        &[
            "'{2000-02-29,0001-12-31 BC}'",
            "'{infinity,-infinity,NULL,5874897-12-31,4713-01-01 BC,1999-12-31}'",
        ],
    ),
    ("time[]", &["'{00:00,23:59:59.999999}'", "'{24:00,13:05:07.25}'"]),
    ("time(3)[]", &["'{13:05:07.2567}'"]),
    ("timetz[]", &["'{13:05:07.25+00}'"]),
    (
        "timestamp[]",
        &[
            "'{2024-02-29 13:05:07.25,4713-01-01 00:00:00 BC}'",
            "'{294276-12-31 23:59:59.999999,0001-01-01 BC,NULL}'",
        ],
    ),
    ("timestamptz[]", &["'{2024-02-29 13:05:07+00,infinity}'", "'{2024-02-29 13:05:07+05:30,NULL}'"]),
    ("interval[]", &["'{1 day,NULL}'"]),
    ("money[]", &["'{1.5}'"]),
    (
        "uuid[]",
        &["'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,NULL}'", "'{{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}}'"],
    ),
    (
        "json[]",
        &["array['{\"a\":1,  \"a\":2}'::json, null, '\"text\"']", "array[array['[1.50, 1e400]'::json]]"],
    ),
    (
        "jsonb[]",
        &["array['{\"a\":1,  \"a\":2}'::jsonb, null, '\"\\u00e9\"']", "array[array['[1.50, 1e400]'::jsonb]]"],
    ),
    ("xml[]", &["array['<a b=\"c\"/>'::xml]"]),
    ("bytea[]", &["'{\"\\\\x00\"}'", "array['\\xff10'::bytea, null, '']", "array[array['\\x5c78'::bytea]]"]),
    ("percent[]", &["'{1.5,NULL}'"]),
    ("mood", &["'sad'", "'very \"happy\", indeed'"]),
    ("mood[]", &["'{sad,\"very \\\"happy\\\", indeed\"}'"]),
    ("\"odd schema\".\"odd, type\"", &["'x'"]),
    ("pair", &["row(1, 'a,b')", "row(null, null)", "row(1, '\"')"]),
    ("pair[]", &["array[row(1, 'a,b')::pair]"]),
    ("int4range", &["'empty'", "'[1,5)'", "'(,5]'", "'(,)'"]),
    ("numrange", &["'[1.50,NaN)'"]),
    ("tstzrange", &["'[2024-02-29 13:05:07+00,infinity)'"]),
    ("float_range", &["'[0.1,1e100]'"]),
    ("int4multirange", &["'{}'", "'{[1,3),[5,7)}'"]),
    ("point", &["'(0.1,-0)'", "'(1e300,Infinity)'"]),
    ("line", &["'{1,2,3}'"]),
    ("lseg", &["'[(0,0),(1,1.5)]'"]),
    ("box", &["'(2,2),(0,0)'"]),
    ("path", &["'[(0,0),(1,1)]'", "'((0,0),(1,1))'"]),
    ("polygon", &["'((0,0),(1,1),(2,0))'"]),
    ("circle", &["'<(0,0),1.5>'"]),
    ("inet", &["'127.0.0.1'", "'10.0.0.1/8'", "'::1'", "'2001:db8::/32'"]),
    ("cidr", &["'10.0.0.0/8'", "'::/0'"]),
    ("macaddr", &["'08:00:2b:01:02:03'"]),
    ("macaddr8", &["'08:00:2b:01:02:03:04:05'"]),
    ("tsvector", &["'a:1A fat:2B,4C cat:5D'", "''"]),
    ("tsquery", &["'fat & (rat | !cat)'"]),
    ("hstore", &["'a=>1, b=>NULL, \"c,d\"=>\"e\\\"f\"'"]),
    ("xid", &["'4294967295'"]),
    ("xid8", &["'18446744073709551615'"]),
    ("cid", &["'4294967295'"]),
    ("tid", &["'(4294967295,65535)'"]),
    ("pg_lsn", &["'FFFFFFFF/FFFFFFFF'", "'0/0'"]),
    ("pg_snapshot", &["'10:20:10,14,15'"]),
    ("regclass", &["'pg_class'", "'pg_catalog.pg_type'", "'4000000000'"]),
    ("regproc", &["'now'"]),
    ("regprocedure", &["'abs(numeric)'"]),
    ("regoper", &["'pg_catalog.||/'"]),
    ("regtype", &["'numeric(10,2)'", "'mood'"]),
    ("regnamespace", &["'pg_catalog'"]),
    ("regrole", &["'postgres'"]),
    ("regconfig", &["'english'"]),
    ("regdictionary", &["'simple'"]),
    ("regcollation", &["'\"C\"'"]),
    ("oidvector", &["'1 2 4294967295'"]),
    ("int2vector", &["'1 -2 3'"]),
    ("aclitem", &["'postgres=r/postgres'"]),
    ("refcursor", &["'a cursor'"]),
];

/// One query for a type: each value, then NULL.
fn query(name: &str, values: &[&str]) -> String {
    let rows: Vec<_> = values
        .iter()
        .chain([&"null"])
        .enumerate()
        .map(|(i, value)| format!("({i}, ({value})::{name})"))
        .collect();
    format!("select v from (values {}) as t (i, v) order by i", rows.join(", "))
}

/// The server's name for the type of a query's column; a domain is described as what it is made of.
fn name_of(sql: &str) -> String {
    format!(
        "create temp table described as {sql};
         select case t.typtype when 'd' then format_type(t.typbasetype, t.typtypmod)
                else format_type(a.atttypid, a.atttypmod) end
         from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = 'described'::regclass and a.attname = 'v'"
    )
}

#[tokio::test]
async fn every_type_looks_as_the_server_prints_it() {
    let server = Postgres::start();
    server.psql(MAKE);
    let mut client = open(&server).await;
    for (name, values) in TABLE {
        let sql = query(name, values);
        let (ours, columns) = csv(&mut client, &sql).await;
        assert_same(&ours, &copy_csv(&server, "", &sql), &sql);
        let theirs = String::from_utf8(server.psql(&name_of(&sql))).unwrap();
        assert_eq!(columns[0].database_type, theirs.trim_end(), "the name of {name}");
    }
}
