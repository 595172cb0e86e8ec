//! The sweep: whatever is done with a password and a master key, neither is found where it should not be, in any form.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::FileExt as _,
    path::Path,
    process::Stdio,
    time::Duration,
};

use querybox_fixtures::{Keyring, is_root};
use rustix::process::{Pid, Signal, kill_process};

use super::Site;
use crate::house::within;

/// Secrets that must not be found, in each of the forms in which programs write bytes.
pub(super) struct Canaries(Vec<(String, Vec<u8>)>);

impl Canaries {
    pub(super) fn of(secrets: &[&str]) -> Canaries {
        Canaries(secrets.iter().flat_map(|secret| forms(secret)).collect())
    }

    #[track_caller]
    pub(super) fn assert_not_in(&self, bytes: &[u8], place: &str) {
        for (form, needle) in &self.0 {
            assert!(!holds(bytes, needle), "{place} holds a secret as {form}");
        }
    }

    /// All files below a folder.
    #[track_caller]
    pub(super) fn assert_not_below(&self, folder: &Path, except: &[&Path]) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if except.contains(&path.as_path()) {
                continue;
            }
            match path.is_dir() {
                true => self.assert_not_below(&path, except),
                // A temporary file may be gone by now.
                false => {
                    if let Ok(bytes) = fs::read(&path) {
                        self.assert_not_in(&bytes, &path.display().to_string());
                    }
                }
            }
        }
    }
}

fn forms(secret: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let hex = |upper: bool| -> String {
        bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    let list: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let utf16 = |end: fn(u16) -> [u8; 2]| secret.encode_utf16().flat_map(end).collect::<Vec<u8>>();
    let mut forms = vec![
        ("itself".to_owned(), bytes.to_vec()),
        ("hex".to_owned(), hex(false).into_bytes()),
        ("HEX".to_owned(), hex(true).into_bytes()),
        ("percent".to_owned(), percent.into_bytes()),
        ("a list".to_owned(), list.join(", ").into_bytes()),
        ("UTF-16LE".to_owned(), utf16(u16::to_le_bytes)),
        ("UTF-16BE".to_owned(), utf16(u16::to_be_bytes)),
        // As the parts of a form or a log would have it.
        ("escaped".to_owned(), secret.escape_default().to_string().into_bytes()),
    ];
    for (name, alphabet) in [("base64", BASE64), ("base64url", BASE64_URL)] {
        for offset in 0..3 {
            forms.push((format!("{name} at {offset}"), base64_core(bytes, offset, alphabet)));
        }
    }
    forms
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What is the same in the base64 of any text that has these bytes at such an offset.
fn base64_core(bytes: &[u8], offset: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let skipped = (3 - offset) % 3;
    bytes[skipped..]
        .chunks_exact(3)
        .flat_map(|three| {
            let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| alphabet[(bits >> shift) as usize & 63])
        })
        .collect()
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return false };
    // Memory is large, and most of it is zeros.
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| byte == first) {
        at += found;
        if bytes[at..].starts_with(needle) {
            return true;
        }
        at += 1;
    }
    false
}

/// All of a process's memory that can be read, by root.
pub(super) fn assert_not_in_memory(canaries: &Canaries, pid: Pid) -> usize {
    let pid = pid.as_raw_nonzero();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut read = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        if !rights.starts_with('r') || line.ends_with("[vvar]") || line.ends_with("[vsyscall]") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        if memory.read_exact_at(&mut bytes, start).is_ok() {
            read += bytes.len();
            canaries.assert_not_in(&bytes, &format!("memory of the program: {line}"));
        }
    }
    read
}

/// The plan of each: what is planted is found by the same means where it is.
#[test]
fn the_sweep_finds_what_is_there() {
    let canaries = Canaries::of(&["canary-right-5d1e07"]);
    for (form, needle) in &canaries.0 {
        let text = [b"before ", needle.as_slice(), b" behind"].concat();
        assert!(holds(&text, needle), "{form}");
    }
    for offset in 0..3 {
        let text = ["x".repeat(offset).as_bytes(), b"canary-right-5d1e07 and more"].concat();
        let encoded = {
            let mut padded = text.clone();
            padded.resize(text.len().next_multiple_of(3), 0);
            base64_core(&padded, 0, BASE64)
        };
        assert!(
            canaries.0.iter().any(|(form, needle)| form.starts_with("base64") && holds(&encoded, needle)),
            "{offset}"
        );
    }
}

#[test]
fn no_secret_is_found_on_disk_in_logs_arguments_or_environments() {
    let mut site = Site::with_vault();
    let key = fs::read_to_string(site.key_file()).unwrap();
    let port = site.server.port();
    let (right, wrong) = (format!("canary-right-{port}-7f3a9c"), format!("canary-wrong-{port}-51d0e8"));
    let new_key = {
        site.server.psql(&format!("create role eve login password '{right}'"));
        site.run(&["keys", "add"]).exits(0).stdout.trim().to_owned()
    };
    // What is run is a person's own, and kept in the history.
    let literal = format!("canary-sql-{port}-e5b041");
    let statement = format!("select current_user where '{literal}' <> ''");
    let canaries = Canaries::of(&[&right, &wrong, &key, &new_key, &literal]);
    let url = format!("postgres://eve@127.0.0.1:{port}/postgres");
    let check = |line: &str, args: &[&str], code: i32| {
        let mut command = site.command(args);
        command.env("QUERYBOX_LOG", "trace").stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = writeln!(child.stdin.take().unwrap(), "{line}");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        // Refused before a driver is started, there is little to tell.
        let has_run = args[0] == "query" && code != 2;
        assert!(!has_run || output.stderr.len() > 1000, "at this level it logs much");
        canaries.assert_not_in(&output.stdout, "standard output");
        canaries.assert_not_in(&output.stderr, &format!("standard error of {args:?}"));
        canaries.assert_not_below(&site.house.home(), &[]);
    };
    check(&right, &["connections", "add", "eve", &url, "--password-stdin", "--keep", "vault"], 0);
    check("", &["query", "eve", &statement], 0);
    let found = site.run(&["history", "search", "canary-sql", "--json"]).exits(0);
    assert!(found.stdout.contains("where 'canary-sql-"), "it is kept: {}", found.stdout);
    let shell = format!("{statement};");
    check(&shell, &["shell", "eve"], 0);
    check("", &["history", "list", "--outcome", "rejected"], 0);
    check("", &["query", "eve", "select nope"], 1);
    check("", &["query", "eve", "--deadline", "300ms", "select pg_sleep(60)"], 4);
    check("", &["credentials", "test", "eve"], 0);
    check("", &["credentials", "status"], 0);
    check(&wrong, &["credentials", "set", "eve", "--password-stdin"], 0);
    check("", &["query", "eve", "select 1"], 1);
    check(&right, &["query", "eve", "--password-stdin", "select 1"], 0);
    check(&right, &["credentials", "set", "eve", "--password-stdin"], 0);
    let keyring = Keyring::start();
    check("", &["credentials", "migrate", "--to", "keyring"], 3);
    check("", &["keys", "status"], 0);
    check("", &["connections", "export"], 0);
    check("", &["connections", "edit", "eve", "-p", "host=localhost"], 0);
    check("", &["query", "eve", "select 1"], 2);
    check(&right, &["connections", "edit", "eve", "--password-stdin"], 0);
    site.source_says(&[&new_key, &key]);
    let rotated = site.command(&["keys", "rotate"]).env("QUERYBOX_LOG", "trace").output().unwrap();
    assert!(rotated.status.success());
    canaries.assert_not_in(&rotated.stderr, "standard error of a rotation");
    canaries.assert_not_below(&site.house.home(), &[]);

    site.give_keyring(&keyring);
    for args in [
        &["credentials", "migrate", "--to", "keyring"][..],
        &["query", "eve", "select 1"],
        &["credentials", "migrate", "--to", "vault"],
    ] {
        let output = site.command(args).env("QUERYBOX_LOG", "trace").output().unwrap();
        assert!(output.status.success(), "{args:?}");
        canaries.assert_not_in(&output.stderr, &format!("standard error of {args:?}"));
        canaries.assert_not_below(&site.house.home(), &[]);
    }

    // While it runs: no argument and no environment of any process.
    let mut running = site.command(&["query", "eve", "-v", "select pg_sleep(60)"]).spawn().unwrap();
    let mut said = BufReader::new(running.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("driver process ") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
    }
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let pid = entry.unwrap().file_name().into_string().unwrap();
        for file in ["cmdline", "environ"] {
            if let Ok(bytes) = fs::read(format!("/proc/{pid}/{file}")) {
                canaries.assert_not_in(&bytes, &format!("{file} of process {pid}"));
                seen.insert(pid.clone());
            }
        }
    }
    assert!(seen.contains(&running.id().to_string()));
    kill_process(Pid::from_child(&running), Signal::KILL).unwrap();
    running.wait().unwrap();
}

#[test]
fn after_its_session_a_shell_holds_nothing_of_the_password() {
    if !is_root() {
        assert!(std::env::var_os("CI").is_none(), "CI promises root, who can read the memory of the program");
        return eprintln!("NOT TESTED: only root can read the memory of the program");
    }
    let site = Site::with_vault();
    let port = site.server.port();
    let right = format!("canary-right-{port}-7f3a9c");
    site.server.psql(&format!("create role eve login password '{right}'"));
    let url = format!("postgres://eve@127.0.0.1:{port}/postgres");
    site.run_with(&right, &["connections", "add", "eve", &url, "--password-stdin", "--keep", "vault"])
        .exits(0);

    let mut child = site.command(&["shell", "eve"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut ask = |sql: &str, expected: &str| {
        writeln!(input, "{sql}").unwrap();
        let mut line = String::new();
        while !line.contains(expected) {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended before {expected}");
        }
    };
    ask("select 'ready' || '-1';", "ready-1");
    let pid = Pid::from_child(&child);
    assert_eq!(children(pid).len(), 1, "the driver is there");
    // What is there is found by the same look.
    let there = Canaries::of(&["127.0.0.1"]);
    assert!(std::panic::catch_unwind(|| assert_not_in_memory(&there, pid)).is_err());
    // The session ends; the program goes on.
    for driver in children(pid) {
        kill_process(driver, Signal::KILL).unwrap();
    }
    within(Duration::from_secs(10), "the session has ended", || children(pid).is_empty());
    let canaries = Canaries::of(&[&right]);
    let read = assert_not_in_memory(&canaries, pid);
    assert!(read > 1 << 20, "{read} bytes of memory were read");
    kill_process(pid, Signal::KILL).unwrap();
    child.wait().unwrap();
}

/// The children of a process.
fn children(pid: Pid) -> Vec<Pid> {
    let tasks = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero())).unwrap();
    let mut found = Vec::new();
    for task in tasks.flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)));
    }
    found
}
