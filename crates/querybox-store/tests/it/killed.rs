//! A process killed in the middle of its writes.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    io::{BufRead, BufReader, Read, Write},
    time::Duration,
};

use querybox_store::{ConnectionId, ConnectionSettings, Environment, Run, RunText, Store, Written};

use crate::{
    Site, at, check_integrity,
    children::{child, told},
    history::{RUN_LIMITS, filter, run},
    settings,
};

const ROUNDS: usize = 12;

/// A new number each time, in `0..below`.
fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

/// What the child was told it had when it was killed: each id with its name and revision.
type Acknowledged = BTreeMap<ConnectionId, (String, u64)>;

/// Runs a child on the store until it has acknowledged some writes, then kills it at no particular point.
fn write_and_kill(site: &Site, round: usize, acknowledged: &mut Acknowledged) {
    let mut process =
        child("killed::write_until_killed_child", &site.path(), &format!("round {round}")).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap());
    let take = |line: &str, acknowledged: &mut Acknowledged| {
        // The last line may be cut by the kill; the harness prints lines of its own.
        let Some(line) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("ack ")) else {
            return 0;
        };
        let [id, revision, name] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("garbled: {line}");
        };
        acknowledged.insert(id.parse().unwrap(), (name.to_owned(), revision.parse().unwrap()));
        1
    };

    let wanted = 1 + random(60);
    let mut seen = 0;
    while seen < wanted {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the child ended by itself");
        seen += take(&line, acknowledged);
    }
    // Not to be lucky but to be anywhere inside a write.
    std::thread::sleep(Duration::from_micros(random(3000)));
    process.kill().unwrap();
    process.wait().unwrap();

    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    for line in rest.split_inclusive('\n') {
        take(line, acknowledged);
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let site = Site::new();
    let mut acknowledged = Acknowledged::new();
    for round in 0..ROUNDS {
        write_and_kill(&site, round, &mut acknowledged);

        let store = site.open().await;
        check_integrity(&site.raw());
        let found: BTreeMap<_, _> =
            store.connections().await.unwrap().into_iter().map(|found| (found.id, found)).collect();
        for (id, (name, revision)) in &acknowledged {
            let connection = found.get(id).unwrap_or_else(|| panic!("{name} is lost"));
            // A later update may have been committed without its acknowledgement.
            assert!(connection.revision >= *revision, "{name} is back at {}", connection.revision);
        }
        // Also what was not acknowledged is whole: an update changes the color and nothing else.
        for connection in found.values() {
            let settings = ConnectionSettings {
                environment: connection.settings.environment,
                ..settings(connection.settings.name.as_str())
            };
            assert_eq!(connection.settings, settings);
            assert_eq!(connection.settings.environment == Environment::Red, connection.revision == 2);
        }
        store.runs(filter(), None, u32::MAX).await.unwrap();
        store.close().await;
    }
    assert!(acknowledged.len() >= ROUNDS / 2);
    // Once anybody has written again, nothing lies beside the file.
    let store = site.open().await;
    store.create_connection(settings("last"), at(0)).await.unwrap();
    store.close().await;
    assert!(!std::fs::exists(site.folder.path().join("store.db-wal")).unwrap());
}

#[tokio::test]
#[ignore = "half of what_was_acknowledged_survives_a_kill"]
async fn write_until_killed_child() {
    let (path, label) = told();
    let store = Store::open(&path).await.unwrap();
    let acknowledge = |connection: &querybox_store::Connection| {
        let line = format!("ack {} {} {}\n", connection.id, connection.revision, connection.settings.name);
        std::io::stdout().write_all(line.as_bytes()).unwrap();
        std::io::stdout().flush().unwrap();
    };
    for number in 0_u32.. {
        let created = settings(&format!("{label} number {number}"));
        let connection = store.create_connection(created, at(0)).await.unwrap();
        acknowledge(&connection);
        let red = ConnectionSettings { environment: Environment::Red, ..connection.settings };
        acknowledge(&store.update_connection(connection.id, 1, red, at(1)).await.unwrap());
        store.touch(connection.id, at(2));
        // An id of its own in each round.
        let id = *connection.id.as_uuid();
        let run = Run { id, connection: Some(connection.id), ..run(number) };
        let text = RunText { written: Written::Plain(vec![7; 100]), text_key: None };
        store.record_run(run, Some(text), RUN_LIMITS, at(2));
    }
}
