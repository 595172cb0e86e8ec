//! The built program.

use std::{
    fs,
    io::Read as _,
    process::{Command, Output, Stdio},
};

use querybox_plugin::pb;

use crate::database::Database;

const PROGRAM: &str = env!("CARGO_BIN_EXE_querybox-driver-sqlite");

fn exec(database: &Database, sql: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("exec").current_dir("/").env_clear();
    for (name, value) in database.parameters() {
        command.arg("--param").arg(format!("{name}={value}"));
    }
    command.arg(sql);
    command
}

#[test]
fn info_is_told_without_anything_around() {
    let Output { status, stdout, .. } =
        Command::new(PROGRAM).arg("info").env_clear().current_dir("/").output().unwrap();
    assert!(status.success());
    let info: pb::PluginInfo = serde_json::from_slice(&stdout).unwrap();
    assert_eq!((&*info.driver_type, info.file_need()), ("sqlite", pb::FileNeed::Database));
    let dialect = info.dialect.unwrap();
    assert_eq!(dialect.keywords.len(), 147);
    assert!(dialect.keywords.is_sorted_by(|a, b| a < b), "keywords come once, in order");
}

#[test]
fn exec_tells_what_was_refused() {
    let database = Database::new();
    let Output { status, stderr, .. } = exec(&database, "create table a(b); selekt").output().unwrap();
    assert_eq!(status.code(), Some(1));
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(stderr.contains("CREATE TABLE") && stderr.contains("(42601)"), "{stderr}");
}

/// The most memory that a running process had, in KiB.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

/// Reads all that a query over the numbers up to `rows` returns; the bytes, and the driver's peak memory near its end.
fn read_all(database: &Database, rows: u32, query: &str) -> (usize, u64) {
    let sql = format!("with recursive n(i) as (select 1 union all select i + 1 from n limit {rows}) {query}");
    let mut driver = exec(database, &sql).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = driver.stdout.take().unwrap();
    let (mut bytes, mut peak, mut chunk) = (0, 0, vec![0; 64 * 1024]);
    loop {
        let read = stdout.read(&mut chunk).unwrap();
        bytes += read;
        peak = peak_kib(driver.id()).unwrap_or(peak).max(peak);
        if read == 0 {
            break;
        }
    }
    assert!(driver.wait().unwrap().success());
    (bytes, peak)
}

#[track_caller]
fn memory_is_flat(query: &str, slack_kib: u64) {
    let database = Database::new();
    let (few_bytes, few) = read_all(&database, 20_000, query);
    let (many_bytes, many) = read_all(&database, 1_000_000, query);
    assert!(many_bytes > 40 * few_bytes, "{few_bytes} and {many_bytes} bytes were read");
    assert!(many < few + slack_kib, "20,000 rows peak at {few} KiB, 1,000,000 at {many} KiB");
}

#[test]
fn memory_does_not_grow_with_the_rows() {
    memory_is_flat("select i, 'row number ' || i as text, i * 1.5 as half from n", 4 * 1024);
}

#[test]
fn memory_does_not_grow_with_what_is_sorted() {
    // The sorter fills its cache and then spills; a hundred bytes a row are 100 MB in all.
    memory_is_flat("select printf('%0100d', -i) as t from n order by t", 24 * 1024);
}
