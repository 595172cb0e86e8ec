//! Kept results of PostgreSQL.

use rustix::process::Signal;

use super::{PG, Site};
use crate::{
    house::within,
    serve::server::{PATIENCE, Server},
};

const TABLE: &str = "create table values_of_all_kinds (id int, bytes bytea, text text, n numeric, at timestamptz, ok bool, \
    list text[]); insert into values_of_all_kinds values \
    (1, '\\x', '', 'NaN', 'infinity', true, '{}'), \
    (2, '\\x00ff275c0a', E'it''s \\\\ \\n ''\"', 1.50, '2024-02-29 13:05:07.25+05:30', false, '{a,NULL,\"b,c\"}'), \
    (3, null, null, null, null, null, null), \
    (4, (select string_agg(set_byte('\\x00', 0, byte), '' order by byte) from generate_series(0, 255) byte), '\\x6162', -0.001, \
     '0044-03-15 00:00:00+00 BC', null, '{\"\"}')";

#[test]
fn an_insert_of_a_kept_result_brings_all_back_and_bytes_as_bytes() {
    let site = Site::start();
    site.server.psql(TABLE);
    let server = Server::start(&site.house);
    let url = server.url();
    let sql = "select * from values_of_all_kinds order by id";
    let id = site.run(&["query", PG, sql, "--keep", "--server", &url]).exits(0).stdout.trim_end().to_owned();
    within(PATIENCE, "the result is done", || {
        let listed = server.verb(&site.house, &["results", "list", "--json"]).exits(0);
        listed.stdout.contains("\"done\"")
    });
    let file = site.house.path("back.sql");
    let to = file.to_str().unwrap();
    let export = ["results", "export", &id, "-o", to, "--table", "public.back", "--insert-rows", "3"];
    server.verb(&site.house, &export).exits(0);
    site.server.psql("create table back (like values_of_all_kinds)");
    // By way of psql: the server is somebody else, who may not read the file.
    site.server.psql(&format!("\\i '{to}'"));
    let differences = "select count(*) from (\
        (select * from back except all select * from values_of_all_kinds) union all \
        (select * from values_of_all_kinds except all select * from back)) difference";
    assert_eq!(site.ask(differences), "0");
    let of_bytes =
        "select count(*), sum(length(bytes)), bool_and(pg_typeof(bytes) = 'bytea'::regtype) from back";
    assert_eq!(site.ask(of_bytes), "4|261|t");
    server.signal(Signal::TERM);
    server.end(&site.house).exits(0);
}
