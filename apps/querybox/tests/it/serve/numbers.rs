//! The numbers, as Prometheus' own linter reads them.

use std::{
    collections::HashMap,
    env,
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    process::{Command, Stdio},
};

use querybox_vault::MasterKey;

use super::server::{PATIENCE, Server};
use crate::house::{House, within};

#[test]
fn the_linter_of_prometheus_finds_nothing_to_say() {
    let house = House::new();
    let server = Server::start(&house);
    // So that each family has something to show.
    server.verb(&house, &["query", "shop", "select 1"]).exits(0);
    server.verb(&house, &["query", "shop", "selec 1"]).exits(1);
    let (_, text) = server.ask("/metrics").answer();

    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut linter = match started {
        Ok(linter) => linter,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("not run: there is no promtool, which Debian's package prometheus has");
            assert!(env::var_os("CI").is_none(), "CI promises promtool");
            return;
        }
        Err(error) => panic!("promtool could not be started: {error}"),
    };
    // The last numbers of a chunked answer stand between lengths, which are no metrics.
    linter.stdin.take().unwrap().write_all(&without_chunks(&text)).unwrap();
    let said = linter.wait_with_output().unwrap();
    let words = [said.stdout, said.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(said.status.success() && words.concat().is_empty(), "{words:?}");
}

/// A body without the lengths of its chunks, where it has them.
fn without_chunks(body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut rest = body;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let length = std::str::from_utf8(&rest[..end]).ok();
        let Some(length) = length.and_then(|length| usize::from_str_radix(length, 16).ok()) else { break };
        let chunk = &rest[end + 2..];
        whole.extend_from_slice(&chunk[..length]);
        rest = &chunk[length + 2..];
    }
    if whole.is_empty() { body.to_vec() } else { whole }
}

/// The numbers, by name and labels.
fn numbers(server: &Server) -> HashMap<String, f64> {
    let (_, body) = server.ask("/metrics").answer();
    let text = String::from_utf8(without_chunks(&body)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[test]
fn what_happens_is_counted_by_closed_labels() {
    let house = House::new();
    house.add_driver("postgres");
    let key_file = house.path("key");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&key_file).unwrap();
    // The file is where the key is to lie.
    file.write_all(MasterKey::make().to_text().expose()).unwrap();
    let keyed = |args: &[&str]| {
        let mut command = house.command(args);
        command.env("QUERYBOX_MASTER_KEY_FILE", &key_file);
        command
    };
    house.ran(keyed(&["keys", "init"]).output().unwrap()).exits(0);
    let server = Server::run(keyed(&["serve", "--listen", "127.0.0.1:0"]), &house);
    server.verb(&house, &["query", "shop", "select 1 union all select 2"]).exits(0);
    server.verb(&house, &["query", "shop", "selec 1"]).exits(1);
    server.verb(&house, &["schema", "shop"]).exits(0);
    // Nothing listens there, so that the vault opens what nobody takes.
    let url = "postgres://ada@127.0.0.1:1/shop";
    let args =
        ["connections", "add", "far", url, "--password-stdin", "--keep", "vault", "--server", &server.url()];
    house.run_with(b"secret-71f0\n", args).exits(0);
    server.verb(&house, &["query", "far", "select 1"]);
    server.verb(&house, &["credentials", "status"]).exits(0);
    server.verb(&house, &["query", "shop", "select hex(zeroblob(1000))", "--keep"]).exits(0);

    let counted = |numbers: &HashMap<String, f64>, name: &str| {
        numbers.get(name).copied().unwrap_or_else(|| panic!("there is no {name} in {numbers:#?}"))
    };
    // A driver's end is counted when it is told, or a moment before.
    within(PATIENCE, "all is counted", || {
        let numbers = numbers(&server);
        let found = |name: &str| numbers.get(name).copied().unwrap_or_default();
        found("querybox_runs_total{driver=\"sqlite\",outcome=\"done\"}") == 2.0
            && found("querybox_runs_total{driver=\"postgres\",outcome=\"failed\"}") == 1.0
            && found("querybox_spool_memory_bytes") > 0.0
            // One that takes long to leave, on a machine that is busy, is killed.
            && found("querybox_driver_endings_total{cause=\"exited\"}")
                + found("querybox_driver_endings_total{cause=\"killed\"}")
                >= 4.0
    });
    let numbers = numbers(&server);
    for (name, least) in [
        ("querybox_requests_total{verb=\"execute\",outcome=\"done\"}", 2.0),
        ("querybox_requests_total{verb=\"schema\",outcome=\"done\"}", 1.0),
        ("querybox_runs_total{driver=\"sqlite\",outcome=\"rejected\"}", 1.0),
        ("querybox_run_rows_total{driver=\"sqlite\"}", 3.0),
        ("querybox_first_row_seconds_count{driver=\"sqlite\"}", 2.0),
        ("querybox_driver_start_seconds_count{driver=\"sqlite\",start=\"fresh\"}", 4.0),
        ("querybox_vault_operations_total{operation=\"load\",outcome=\"done\"}", 1.0),
        ("querybox_vault_operations_total{operation=\"seal\",outcome=\"done\"}", 1.0),
        ("querybox_vault_operations_total{operation=\"open\",outcome=\"done\"}", 1.0),
        ("querybox_spares_total{outcome=\"missed\"}", 0.0),
        ("querybox_spool_disk_bytes", 0.0),
        ("querybox_spool_files", 0.0),
    ] {
        assert!(counted(&numbers, name) >= least, "{name}: {numbers:#?}");
    }
    assert!(
        numbers.keys().any(|name| name.starts_with("querybox_keyring_operations_total{operation=\"probe\"")),
        "{numbers:#?}"
    );
    for name in numbers.keys() {
        for foreign in ["shop", "far", "secret", "zeroblob", "ada"] {
            assert!(!name.contains(foreign), "{name}");
        }
    }
}
