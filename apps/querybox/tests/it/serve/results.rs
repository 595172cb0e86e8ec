//! Results that a server keeps, and what is left of them.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use expect_test::expect;
use querybox_fixtures::root_only;
use rustix::process::{Pid, Signal, kill_process};

use super::server::{PATIENCE, Server};
use crate::{
    house::{ENDLESS, House, names, within},
    limits::peak_mb,
};

/// What no file may hold. Scripts have it in two halves: these are in the history, and that is another promise.
const CANARY: [&str; 2] = ["canary-5b3e", "1d0a7c00"];

/// So many rows of two kilobytes each, which outgrow what is kept in memory.
pub(super) fn canaries(rows: u32) -> String {
    let [head, tail] = CANARY;
    format!(
        "with recursive c(n) as (select 1 union all select n + 1 from c where n < {rows}) \
         select n, '{head}' || '{tail}' || n || hex(zeroblob(1000)) as text from c"
    )
}

pub(super) fn has_canary(content: &[u8]) -> bool {
    let canary = CANARY.concat();
    content.windows(canary.len()).any(|part| part == canary.as_bytes())
}

/// Runs on the server, and answers the id.
pub(super) fn keep(house: &House, server: &Server, sql: &str) -> String {
    let ran = server.verb(house, &["query", "shop", sql, "--keep", "--deadline", "none"]).exits(0);
    ran.stdout.trim_end().to_owned()
}

pub(super) fn listed(house: &House, server: &Server) -> Vec<serde_json::Value> {
    let ran = server.verb(house, &["results", "list", "--json"]).exits(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn is_done(house: &House, server: &Server, id: &str) -> bool {
    listed(house, server).iter().any(|result| result["result_id"] == *id && result["state"] == "done")
}

/// Files of a folder and what is in it.
pub(super) fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => _ = found.insert(path),
        }
    }
    found
}

/// A result that is whole.
fn kept(house: &House, server: &Server, sql: &str) -> String {
    let id = keep(house, server, sql);
    within(PATIENCE, "the result is done", || is_done(house, server, &id));
    id
}

const PRODUCTS: &str = "select id, name, note from products";

#[test]
fn results_are_kept_shown_viewed_exported_and_dropped() {
    let house = House::new();
    let server = Server::start(&house);
    let id = kept(&house, &server, PRODUCTS);
    let verb = |args: &[&str]| server.verb(&house, &[&["results"], args].concat());
    verb(&["show", "last"])
        .exits(0)
        .on_stdout(expect![[r#"
             id │ name       │ note
            ────┼────────────┼──────
              1 │ Lamp       │ ∅
              2 │ Täble      │
              3 │ Chair, red │ a "b"
        "#]])
        .on_stderr(expect![[r#"
            (rows 1 to 3 of 3)
        "#]]);
    let ran = verb(&["sort", &id, "--by", "name"]).exits(0);
    assert_eq!(ran.stdout, "1\n");
    verb(&["export", "last", "--view", "1"]).exits(0).on_stdout(expect![[r#"
        id,name,note
        3,"Chair, red","a ""b"""
        1,Lamp,
        2,Täble,""
    "#]]);
    let ran = verb(&["filter", "last", "--where", "id", ">=", "2"]).exits(0);
    assert!(ran.stdout == "2\n" && ran.stderr.contains("2 rows of 3"), "{ran:?}");
    let ran = verb(&["show", "last", "--view", "2", "--first", "2"]).exits(0);
    assert!(ran.stdout.contains("Chair") && !ran.stdout.contains("ble"), "{ran:?}");
    let ran = verb(&["filter", "last", "--search", "LAMP", "--null", "note"]).exits(0);
    assert!(ran.stdout == "3\n" && ran.stderr.contains("1 row of 3"), "{ran:?}");
    verb(&["stats", "last", "id"]).exits(0).on_stdout(expect![[r#"
        rows        3
        null        0
        distinct    3
        least       1
        greatest    3
        sum         6
        mean        2
    "#]]);
    let ran = verb(&["stats", "last", "note", "--json"]).exits(0);
    let stats: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&stats["rows"], &stats["nulls"], &stats["least"]), (&3.into(), &1.into(), &"".into()));
    let ran = verb(&["drop", "last"]).exits(0);
    assert_eq!(ran.stderr, "dropped 1 result\n");
    assert!(listed(&house, &server).is_empty());
    verb(&["list"]).says(
        0,
        expect![[r#"
            no results are kept; `querybox query --keep` has one kept
        "#]],
    );
    verb(&["drop", "--all"]).says(
        0,
        expect![[r#"
            dropped 0 results
        "#]],
    );
}

#[test]
fn what_is_not_there_is_told() {
    let house = House::new();
    let server = Server::start(&house);
    let verb = |args: &[&str]| server.verb(&house, &[&["results"], args].concat());
    let says = |args: &[&str], code: i32, told: &str| {
        let ran = verb(args).exits(code);
        assert!(ran.stdout.is_empty() && ran.stderr.contains(told), "{told}: {ran:?}");
    };
    says(&["show", "last"], 2, "no results are kept");
    let id = kept(&house, &server, &format!("{PRODUCTS}; create temp table t (a); select 7 as a, 8 as a"));
    says(&["show", "nope"], 2, "no result is kept whose id ends with nope");
    says(&["show", "0193e5a0-7c00-7abc-8def-0123456789ab"], 2, "there is no such result");
    says(&["show", "last", "--statement", "2"], 2, "statement 2 returns no rows");
    says(&["show", "last", "--statement", "4"], 2, "the result has no statement 4");
    says(&["show", "last", "--view", "1"], 2, "no view 1");
    says(&["show", "last", "--first", "5"], 2, "there is no row 4; there are 3");
    says(&["sort", "last", "--by", "price"], 2, "the result has no column price");
    says(&["sort", "last", "--statement", "3", "--by", "a"], 2, "several columns are named a");
    says(&["filter", "last"], 2, "there is no condition");
    says(&["filter", "last", "--where", "id", "~", "1"], 2, "~ is no operator");
    says(&["filter", "last", "--where", "id", ">=", "many"], 2, "many");
    says(&["filter", "last", "--where", "name", "matches", "("], 2, "regular expression");
    says(&["stats", "last", "price"], 2, "the result has no column price");
    says(&["export", "last", "--format", "json", "--crlf"], 2, "an option of `--format csv`");
    // One row behind the last is where more would come.
    let ran = verb(&["show", "last", "--first", "4"]).exits(0);
    assert!(ran.stderr.contains("(no row from 4 on, of 3)"), "{ran:?}");
    let ran = verb(&["show", "last", "--statement", "3"]).exits(0);
    assert!(ran.stdout.contains("7 │ 8"), "{ran:?}");
    verb(&["drop", &id]).exits(0);
    // Why it is gone is told to whoever names all of it.
    says(&["drop", &id], 2, "the result is gone: it was dropped");
    says(&["show", &id], 2, "`querybox results list` shows those that are kept");
    says(&["drop", &id[28..]], 2, "no result is kept whose id ends with");
}

#[test]
fn what_the_database_refused_is_shown_where_rows_would_be() {
    let house = House::new();
    let server = Server::start(&house);
    let ran = server.verb(&house, &["query", "shop", "select 1;\nselect nope", "--keep"]).exits(0);
    let id = ran.stdout.trim_end().to_owned();
    let state = || listed(&house, &server)[0]["state"].as_str().unwrap().to_owned();
    within(PATIENCE, "the result is rejected", || state() == "rejected");
    // The rows that came before are there: this statement is whole, though the script is not.
    server.verb(&house, &["results", "show", &id]).exits(0);
    let ran = server.verb(&house, &["results", "show", &id, "--statement", "2"]).exits(1);
    assert_eq!(
        ran.stderr,
        "error: no such column: nope\n   --> line 2, column 8\n  |\n2 | select nope\n  |        ^^^^\n code: SQLSTATE 42703, SQLITE_ERROR\n"
    );
    let id = server.verb(&house, &["query", "shop", "select nope", "--keep"]).exits(0).stdout;
    within(PATIENCE, "the result is rejected", || state() == "rejected");
    let ran = server.verb(&house, &["results", "export", id.trim_end(), "-o", "none.csv"]).exits(1);
    assert!(ran.stderr.contains("no such column: nope"), "{ran:?}");
    assert!(!house.path("none.csv").exists());
}

#[test]
fn a_part_is_not_taken_for_all() {
    const TOLD: &str = "warning: these are not all rows that the database would have returned";
    let house = House::new();
    let server = Server::start(&house);
    let ran = server.verb(&house, &["query", "shop", PRODUCTS, "--keep", "--max-rows", "2"]).exits(0);
    let id = ran.stdout.trim_end().to_owned();
    within(PATIENCE, "the result is done", || is_done(&house, &server, &id));
    let part = |args: &[&str]| {
        let ran = server.verb(&house, &[&["results"], args].concat()).exits(4);
        assert!(ran.stderr.contains(TOLD), "{ran:?}");
        ran.stdout
    };
    assert!(part(&["show", &id]).contains("Lamp"));
    assert_eq!(part(&["sort", &id, "--by", "name"]), "1\n");
    assert_eq!(part(&["filter", &id, "--where", "id", "=", "1"]), "2\n");
    assert!(part(&["show", &id, "--view", "1"]).contains("Lamp"));
    assert!(part(&["stats", &id, "id"]).starts_with("rows        2\n"));
    let stats: serde_json::Value =
        serde_json::from_str(&part(&["stats", &id, "id", "--view", "2", "--json"])).unwrap();
    assert_eq!((&stats["rows"], &stats["incomplete"]), (&1.into(), &true.into()));
    assert_eq!(part(&["export", &id]), "id,name,note\n1,Lamp,\n2,Täble,\"\"\n");
}

#[test]
fn a_list_fits_eighty_columns() {
    let house = House::new();
    let server = Server::start(&house);
    kept(
        &house,
        &server,
        "select id, name, price, note,\n  'a script that is longer than what is shown of it' from products",
    );
    let ran = server.verb(&house, &["results", "list"]).exits(0);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("RESULT    STATE  AGE "), "{ran:?}");
    assert!(lines[1].contains("  done   ") && lines[1].ends_with('…'), "{ran:?}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{ran:?}");
    let shown = lines[1].split(' ').next().unwrap();
    assert_eq!(shown.len(), 8);
    server.verb(&house, &["results", "show", shown]).exits(0);
    let [result] = &listed(&house, &server)[..] else { panic!("one is kept") };
    assert!(result["result_id"].as_str().unwrap().ends_with(shown));
    assert_eq!((&result["connection"], &result["failure"]), (&"shop".into(), &serde_json::Value::Null));
}

/// Each format with what it needs.
const FORMATS: [(&str, &[&str]); 9] = [
    ("csv", &["--delimiter", ";", "--crlf"]),
    ("tsv", &[]),
    ("json", &[]),
    ("ndjson", &[]),
    ("markdown", &[]),
    ("sql", &["--table", "main.t", "--insert-rows", "2"]),
    ("xlsx", &["--sheet-rows", "2"]),
    ("parquet", &[]),
    ("arrow", &[]),
];

#[test]
fn a_document_is_the_same_from_a_query_a_server_and_a_kept_result() {
    let house = House::new();
    let server = Server::start(&house);
    // What SQLite's type of the column does not hold is not among them: a query does not know of it before.
    let sql = "select id, name, cast(price as real) as price, note, x'00ff' as bytes from products";
    let id = kept(&house, &server, sql);
    for (format, options) in FORMATS {
        let file = |name: &str| format!("{name}.{format}");
        let to = |name: &str| [&["--format", format, "-o", &file(name)], options].concat().join("\n");
        let args = |first: &[&str], name: &str| {
            let to = to(name);
            first.iter().copied().map(str::to_owned).chain(to.lines().map(str::to_owned)).collect::<Vec<_>>()
        };
        house.run(args(&["query", "shop", sql], "own")).exits(0);
        let query = args(&["query", "shop", sql], "server");
        server.verb(&house, &query.iter().map(String::as_str).collect::<Vec<_>>()).exits(0);
        let export = args(&["results", "export", &id], "kept");
        let ran = server.verb(&house, &export.iter().map(String::as_str).collect::<Vec<_>>()).exits(0);
        let own = fs::read(house.path(&file("own"))).unwrap();
        assert!(ran.stderr.starts_with("(3 rows, "), "{ran:?}");
        for name in ["server", "kept"] {
            let other = fs::read(house.path(&file(name))).unwrap();
            assert!(!own.is_empty() && own == other, "{format}: {name} differs");
            let mode = fs::metadata(house.path(&file(name))).unwrap().mode() & 0o777;
            assert_eq!(mode, 0o600, "{format}");
        }
    }
}

#[test]
fn an_export_that_is_cancelled_leaves_no_trace() {
    let house = House::new();
    let server = Server::start(&house);
    let id = keep(&house, &server, ENDLESS);
    let before = names(&house.path(""));
    for format in ["csv", "ndjson"] {
        let url = server.url();
        // What runs has no end, and so has the export.
        let args = ["results", "export", &id, "--format", format, "-o", "out", "--server", &url];
        let child = house.command(args).spawn().unwrap();
        let hidden = || names(&house.path("")).into_iter().find(|name| name.ends_with(".part"));
        let is_long = |name: String| fs::metadata(house.path(&name)).is_ok_and(|file| file.len() > 1 << 20);
        within(PATIENCE, "much is written", || hidden().is_some_and(is_long));
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let ran = house.ran(child.wait_with_output().unwrap()).exits(130);
        assert_eq!(ran.stderr, "cancelled\n");
        assert_eq!(names(&house.path("")), before);
    }
    // The result is none the worse.
    server.verb(&house, &["results", "show", &id]).exits(0);
    server.verb(&house, &["results", "drop", &id]).exits(0);
}

#[test]
fn without_a_server_nothing_is_kept_and_that_is_told() {
    let house = House::new();
    for args in [&["query", "shop", "select 1", "--keep"][..], &["results", "list"]] {
        let ran = house.run(args.iter().copied()).exits(2);
        assert!(ran.stderr.contains("no server of this home runs"), "{ran:?}");
        assert!(ran.stderr.contains("results are kept by a server"), "{ran:?}");
    }
    // That of the home is found without being named.
    let server = Server::start(&house);
    let ran = house.run(["query", "shop", "select 1", "--keep"]).exits(0);
    within(PATIENCE, "the result is done", || is_done(&house, &server, ran.stdout.trim_end()));
    house.run(["results", "show", "last"]).exits(0);
    let ran = house.run(["query", "shop", "select 1", "--keep", "--format", "csv"]).exits(2);
    assert!(ran.stderr.contains("--keep"), "{ran:?}");
}

#[test]
fn what_is_kept_on_disk_cannot_be_read_and_is_gone_with_the_process() {
    let house = House::new();
    let before = {
        let server = Server::start(&house);
        server.verb(&house, &["query", "shop", "select 1"]).exits(0);
        files(&house.home())
    };
    // At different moments of the same run.
    for kept_bytes in [0, 1 << 10, 40 << 20] {
        let server = Server::start(&house);
        let id = keep(&house, &server, &canaries(1_000_000_000));
        within(PATIENCE, "rows arrive", || {
            let kept = listed(&house, &server);
            kept.iter()
                .any(|result| result["result_id"] == *id && result["kept_bytes"].as_u64() >= Some(kept_bytes))
        });
        let mut seen = unnamed_files(&server);
        if kept_bytes > 32 << 20 && can_look() {
            within(PATIENCE, "what outgrew memory is in a file", || {
                seen = unnamed_files(&server);
                !seen.is_empty()
            });
        }
        for content in seen {
            assert!(!has_canary(&content), "a file of {} bytes holds what was returned", content.len());
        }
        server.signal(Signal::KILL);
        assert_ne!(server.end(&house).code, 0);
        let mut left = files(&house.home());
        // The store's own, which its next user takes up.
        left.retain(|path| !before.contains(path));
        let names: Vec<_> = left.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        assert!(names.iter().all(|name| name.starts_with("store.db") || *name == "token"), "{names:?}");
        for path in files(&house.home()) {
            assert!(!has_canary(&fs::read(&path).unwrap()), "{} holds what was returned", path.display());
        }
    }
}

/// Whether this test sees what files the server has open: it does not let itself be looked into but by root.
fn can_look() -> bool {
    root_only("what_is_kept_on_disk_cannot_be_read_and_is_gone_with_the_process (what its files hold)")
}

/// The first megabytes of each file that the server has open and that has no name.
pub(super) fn unnamed_files(server: &Server) -> Vec<Vec<u8>> {
    let folder = format!("/proc/{}/fd", server.pid().as_raw_nonzero());
    let mut contents = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return contents };
    for entry in entries.flatten() {
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        let target = target.to_string_lossy().into_owned();
        if !(target.starts_with('/') && target.ends_with(" (deleted)")) {
            continue;
        }
        let Ok(file) = fs::File::open(entry.path()) else { continue };
        let length = file.metadata().unwrap().len().min(8 << 20);
        let mut content = vec![0; usize::try_from(length).unwrap()];
        let read = file.read_at(&mut content, 0).unwrap();
        content.truncate(read);
        if !content.is_empty() {
            contents.push(content);
        }
    }
    contents
}

#[test]
fn a_large_result_leaves_the_memory_of_the_server_flat() {
    let house = House::new();
    let server = Server::start(&house);
    server.verb(&house, &["query", "shop", "select 1"]).exits(0);
    let before = peak_mb(server.pid());
    // 300 MB.
    let id = keep(&house, &server, &canaries(150_000));
    within(5 * PATIENCE, "the result is done", || is_done(&house, &server, &id));
    let [result] = &listed(&house, &server)[..] else { panic!("one is kept") };
    assert!(result["kept_bytes"].as_u64() >= Some(300_000_000), "{result}");
    let ran = server.verb(&house, &["results", "show", "last", "--first", "149999", "--rows", "5"]).exits(0);
    assert!(ran.stdout.contains(&format!("{}150000", CANARY.concat())), "{ran:?}");
    let out = house.path("out.csv");
    server.verb(&house, &["results", "export", "last", "-o", out.to_str().unwrap()]).exits(0);
    assert!(fs::metadata(&out).unwrap().len() > 300_000_000);
    let grown = peak_mb(server.pid()) - before;
    assert!(grown < 100, "{grown} MB more");
}
