//! Values come out of the program as the server's own COPY prints them.

use std::fs;

use super::{PG, Site};

/// A column for each type, and a row for each kind of edge.
const EVERYTHING: &str = r#"
    create extension hstore;
    create type mood as enum ('sad', 'very "happy", indeed');
    create type pair as (a int, b text);
    create table everything (
        id int, b bool, i2 int2, i8 int8, o oid, f4 float4, f8 float8, n numeric, price numeric(10,2), m money,
        t text, c char(5), bytes bytea, u uuid, j json, jb jsonb, d date, ti time, tz timetz, ts timestamp,
        tstz timestamptz, iv interval, bits bit varying, ints int4[], texts text[], mood mood, pair pair,
        r int4range, mr int4multirange, p point, ip inet, mac macaddr, v tsvector, h hstore, x8 xid8, lsn pg_lsn,
        class regclass, "odd ""name"", very" text);
    insert into everything values
        (1, true, -32768, -9223372036854775808, 4294967295, 'NaN', '-0', 'NaN', '-99999999.99', '-92233720368547758.08',
         '', 'ab', '', '00000000-0000-0000-0000-000000000000', '{"a":1,  "a":2}', '{"a":1,  "a":2}', '-infinity', '24:00',
         '24:00-12:30', '4713-01-01 00:00:00 BC', 'infinity', '-1 year -2 mons +3 days -04:05:06.789', '', '{}', '{}',
         'sad', row(null, null), 'empty', '{}', '(0.1,-0)', '::1', '08:00:2b:01:02:03', '', '', '0', '0/0', 'pg_class', ''),
        (2, false, 32767, 9223372036854775807, 0, 3.4028235e38, 1e23, repeat('9', 1000)::numeric, 0.01,
         92233720368547758.07, E'line\nand "quotes", tab\t 日本語 🙂', 'NULL', '\x00ff105c', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
         'null', '[1.50, 1e400]', '5874897-12-31', '23:59:59.999999', '00:00+15:59', '294276-12-31 23:59:59.999999',
         '2024-02-29 13:05:07.25+05:30', '178000000 years', '10101', '[2:3][0:1]={{1,2},{3,NULL}}', '{"a,b",NULL,"NULL",""}',
         'very "happy", indeed', row(1, 'a,"b"'), '[1,5)', '{[1,3),[5,7)}', '(1e300,Infinity)', '10.0.0.1/8',
         'ff:ff:ff:ff:ff:ff', 'a:1A fat:2B,4C', 'a=>1, b=>NULL, "c,d"=>"e\"f"', '18446744073709551615',
         'FFFFFFFF/FFFFFFFF', '4000000000', '\.'),
        (3, null, 0, -1, 2147483648, 'Infinity', 5e-324, '1e-16383', 'NaN', 1.5, '\.', ' ', '\x5c78', null, '"text"', '"\u00e9"',
         '0001-12-31 BC', '00:00', '13:05:07.25+00', 'infinity', '4713-01-01 00:00:00+00 BC', '1 mon -1 sec', '1',
         '{1,NULL,-3}', '{" ","\\"}', null, null, '(,)', null, null, '2001:db8::/32', null, null, null, null, null, null, 'NULL');
    insert into everything (id) values (4);
"#;

const ALL: &str = "select * from everything order by id";

#[test]
fn csv_and_tsv_equal_the_servers_own_byte_for_byte() {
    let site = Site::start();
    site.server.psql(EVERYTHING);
    let theirs = site.server.psql(&format!("copy ({ALL}) to stdout (format csv, header)"));
    let output = site.command(&["query", PG, ALL]).output().unwrap();
    assert_same(&output.stdout, &theirs);
    assert_eq!(output.status.code(), Some(0));
    site.run(&["query", PG, "-o", "out.csv", ALL]).exits(0);
    assert_same(&fs::read(site.house.path("out.csv")).unwrap(), &theirs);

    let theirs = site.server.psql(&format!("copy ({ALL}) to stdout"));
    let output = site.command(&["query", PG, "--format", "tsv", ALL]).output().unwrap();
    let (header, rows) =
        output.stdout.split_at(output.stdout.iter().position(|byte| *byte == b'\n').unwrap() + 1);
    assert!(header.starts_with(b"id\tb\ti2\ti8\t") && header.ends_with(b"\tclass\todd \"name\", very\n"));
    assert_same(rows, &theirs);
}

#[track_caller]
fn assert_same(ours: &[u8], theirs: &[u8]) {
    assert!(theirs.len() > 3000);
    let [ours, theirs] = [ours, theirs].map(String::from_utf8_lossy);
    assert!(ours == theirs, "--- ours\n{ours}\n--- the server's\n{theirs}");
}

#[test]
fn settings_that_change_looks_are_followed() {
    let site = Site::start();
    site.server.psql(EVERYTHING);
    let set = "set timezone = 'Asia/Kolkata'; set datestyle = 'German'; set bytea_output = 'escape'; \
               set intervalstyle = 'iso_8601'; set extra_float_digits = -3";
    let theirs = site.server.psql(&format!("{set}; copy ({ALL}) to stdout (format csv, header)"));
    let output = site.command(&["query", PG, &format!("{set}; {ALL}")]).output().unwrap();
    assert_same(&output.stdout, &theirs);
}

/// Where a document in place of `{}` says something else of a row than the server: column by column, text by text.
const JSON_DIFFERENCES: &str = r"
    select string_agg(format('%s: %L, not %L', h.key, e.value, h.value), E'\\n'), count(e.value)
    from json_array_elements($document${}$document$) d (object)
    join everything original on original.id = (d.object ->> 'id')::int
    cross join each(hstore(original)) h
    cross join lateral (select case when h.key in ('j', 'jb') then nullif((d.object -> h.key)::text, 'null')
                                    when h.key = 'b' then left(d.object ->> h.key, 1)
                                    else d.object ->> h.key end as value) e
    where e.value is distinct from nullif(h.value, 'null')";

#[test]
fn json_keeps_every_value_as_the_server_shows_it() {
    let site = Site::start();
    site.server.psql(EVERYTHING);
    let document = site.run(&["query", PG, "--format", "json", ALL]).exits(0).stdout;
    let check = |document: &str| site.ask(&JSON_DIFFERENCES.replace("{}", document));
    assert_eq!(check(&document), "|0");
    assert_ne!(check(&document.replace("1.50", "1.5")), "|0", "a difference is found");
    assert_eq!(site.ask(&format!("select json_array_length($document${document}$document$)")), "4");

    let lines = site.run(&["query", PG, "--format", "ndjson", ALL]).exits(0).stdout;
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(check(&format!("[{}]", lines.join(","))), "|0");

    // Numbers are numbers, as long as JSON has them.
    let first: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert!(first["b"].is_boolean() && first["price"].is_number() && first["jb"].is_object());
    assert_eq!((&first["i8"], &first["f4"], &first["n"]), (&i64::MIN.into(), &"NaN".into(), &"NaN".into()));
}

#[test]
fn text_that_nobody_can_decode_is_told_and_is_no_exact_output() {
    let site = Site::start();
    site.server.psql("create database ascii encoding 'SQL_ASCII' locale 'C' template template0");
    site.add("ascii", &site.url("127.0.0.1", "ascii"), &[]);
    let sql = "select convert_from('\\x6772fcdf', 'SQL_ASCII') as word, 'ok' as plain";
    for format in ["csv", "tsv", "json", "ndjson"] {
        let ran = site.run(&["query", "ascii", "--format", format, sql]).exits(4);
        assert!(ran.stdout.contains("x6772fcdf") && ran.stdout.contains("ok"), "{ran:#?}");
        let told = "warning: 1 cell was in an encoding that is not known here";
        assert!(ran.stderr.contains(told), "{ran:#?}");
    }
    let ran = site.run(&["query", "ascii", "-o", "out.csv", sql]).exits(4);
    assert!(!site.house.path("out.csv").exists(), "{ran:#?}");
    site.run(&["query", "ascii", "--format", "table", sql]).exits(0);
}

#[test]
fn what_is_exported_goes_back_into_a_table_as_it_was() {
    let site = Site::start();
    site.server.psql(EVERYTHING);
    let theirs = site.server.psql(&format!("copy ({ALL}) to stdout (format csv, header)"));
    let read_back = |load: &str| {
        site.server.psql("create table back (like everything)");
        site.server.psql(load);
        let back = site.server.psql("copy (select * from back order by id) to stdout (format csv, header)");
        site.server.psql("drop table back");
        assert_same(&back, &theirs);
    };
    let path = |name: &str| site.house.path(name).to_str().unwrap().to_owned();
    // By way of psql: the server is somebody else, who may not read the files.
    site.run(&["query", PG, "-o", "out.csv", ALL]).exits(0);
    read_back(&format!("\\copy back from '{}' (format csv, header)", path("out.csv")));
    let dialect = ["--delimiter", ";", "--no-header", "--quote-all", "--null-text", "~null~"];
    site.run(&[&["query", PG, "-o", "dialect.csv", ALL][..], &dialect].concat()).exits(0);
    let options = "format csv, delimiter ';', null '~null~'";
    read_back(&format!("\\copy back from '{}' ({options})", path("dialect.csv")));
    site.run(&["query", PG, "-o", "out.sql", "--table", "public.back", "--insert-rows", "3", ALL]).exits(0);
    read_back(&format!("\\i '{}'", path("out.sql")));
    // Bytes are written as this database reads them.
    let script = fs::read_to_string(site.house.path("out.sql")).unwrap();
    assert!(script.starts_with("INSERT INTO \"public\".\"back\" (\"id\", \"b\", "), "{script}");
    assert!(script.contains("'\\x00ff105c'") && script.matches("INSERT").count() == 2, "{script}");
}
