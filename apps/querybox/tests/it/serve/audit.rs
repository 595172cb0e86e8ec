//! The audit file: what it tells, and what becomes of it when it cannot be written.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
};

use rustix::process::Signal;
use serde_json::Value;

use super::server::{PATIENCE, Server};
use crate::house::{ENDLESS_SILENT, House, Running, within};

fn audited(house: &House) -> Server {
    let audit = house.path("audit");
    let audit = audit.to_str().unwrap();
    Server::run(house.command(["serve", "--listen", "127.0.0.1:0", "--audit", audit]), house)
}

fn lines(house: &House) -> Vec<Value> {
    let text = fs::read_to_string(house.path("audit")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_happened_to_each_session_is_told_without_its_content() {
    let house = House::new();
    let server = audited(&house);
    server.verb(&house, &["query", "shop", "select 'canary-1' as \"canary-2\", name from products"]).exits(0);
    server.verb(&house, &["query", "shop", "select 1; selec 'canary-3'"]).exits(1);
    server.verb(&house, &["query", "shop", "select :v", "--bind", "v=canary-4"]).exits(0);
    server.verb(&house, &["schema", "shop"]).exits(0);
    server.verb(&house, &["connections", "test", "shop"]).exits(0);
    house.run_with(b"select 5;\n", ["shell", "shop", "--server", &server.url()]).exits(0);
    let url = server.url();
    let args = ["query", "shop", ENDLESS_SILENT, "--deadline", "none", "--verbose", "--server", &url];
    let endless = Running::start(house.command(args));
    endless.signal(Signal::INT);
    assert_ne!(endless.end().0, 0);
    server.signal(Signal::TERM);
    server.end(&house).exits(0);

    let lines = lines(&house);
    let text = fs::read_to_string(house.path("audit")).unwrap();
    for foreign in ["canary", "products", "shop", "select", "name"] {
        assert!(!text.contains(foreign), "{foreign}: {text}");
    }
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    assert_eq!((&first["verb"], &first["outcome"]), (&"serve".into(), &"begun".into()));
    assert_eq!((&last["verb"], &last["outcome"]), (&"serve".into(), &"ended".into()));
    let of = |verb: &str, outcome: &str| -> Vec<&Value> {
        lines.iter().filter(|line| line["verb"] == verb && line["outcome"] == outcome).collect()
    };
    // All that began has ended.
    for verb in ["execute", "schema", "test", "open"] {
        let begun = of(verb, "begun");
        let all = lines.iter().filter(|line| line["verb"] == verb).count();
        assert!(!begun.is_empty() && all == begun.len() * 2, "{verb}: {text}");
        for line in begun {
            let ends = lines.iter().filter(|end| {
                end["session"] == line["session"] && end["verb"] == verb && end["outcome"] != "begun"
            });
            assert!(ends.count() >= 1, "{line}: {text}");
            assert_eq!(line["driver"], "sqlite");
            assert!(line["connection"].as_str().unwrap().len() == 36, "{line}");
        }
    }
    let done = of("execute", "done")[0];
    assert_eq!((&done["rows"], &done["statements_done"]), (&3.into(), &1.into()), "{done}");
    assert!(done["ms"].is_u64() && done["bytes"].as_u64().unwrap() > 0, "{done}");
    let rejected = of("execute", "rejected")[0];
    assert_eq!((&rejected["statements_done"], &rejected["statements_rejected"]), (&1.into(), &1.into()));
    assert_eq!(of("execute", "canceled").len(), 1, "{text}");
    // On a machine that is busy the database may be too slow to answer, and its driver is killed.
    assert_eq!(of("cancel", "confirmed").len() + of("cancel", "killed").len(), 1, "{text}");
    assert_eq!(of("lease", "closed").len(), 1, "{text}");
    assert_eq!(fs::metadata(house.path("audit")).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn it_goes_on_where_it_was_and_is_read_by_nobody_else() {
    let house = House::new();
    for _ in 0..2 {
        let server = audited(&house);
        server.signal(Signal::TERM);
        server.end(&house).exits(0);
    }
    assert_eq!(lines(&house).len(), 4);
    fs::set_permissions(house.path("audit"), fs::Permissions::from_mode(0o644)).unwrap();
    let audit = house.path("audit");
    let ran = house.run(["serve", "--listen", "127.0.0.1:0", "--audit", audit.to_str().unwrap()]).exits(2);
    assert!(ran.stderr.contains("others may read it"), "{ran:?}");
    fs::remove_file(&audit).unwrap();
    symlink("elsewhere", &audit).unwrap();
    house.run(["serve", "--listen", "127.0.0.1:0", "--audit", audit.to_str().unwrap()]).exits(2);
    assert!(!house.path("elsewhere").exists());
}

#[test]
fn a_full_disk_is_told_once_and_stops_no_query() {
    let house = House::new();
    const LIMIT: usize = 1 << 20;
    // The limit of file sizes stands for a disk that is full, for one file alone: what grows beyond is refused, or the beginning
    // of it is taken.
    let audit = house.path("audit");
    let program = env!("CARGO_BIN_EXE_querybox");
    let mut command = std::process::Command::new("/bin/sh");
    house.furnish(&mut command);
    // Other files of the server are smaller than that, or were there before.
    let script = format!(
        "trap '' XFSZ; exec prlimit --fsize={LIMIT} {program} serve --listen 127.0.0.1:0 --audit {}",
        audit.display()
    );
    command.args(["-c", &script]);
    let filled = vec![b' '; LIMIT - 100];
    fs::write(&audit, filled).unwrap();
    fs::set_permissions(&audit, fs::Permissions::from_mode(0o600)).unwrap();
    let server = Server::run(command, &house);
    for _ in 0..3 {
        server.verb(&house, &["query", "shop", "select 1"]).exits(0);
    }
    let log = || fs::read_to_string(house.path("serve.log")).unwrap();
    within(PATIENCE, "it is told", || log().contains("the audit file cannot be written"));
    // Whoever makes room finds what is missing counted.
    fs::OpenOptions::new().write(true).open(&audit).unwrap().set_len(0).unwrap();
    server.verb(&house, &["query", "shop", "select 1"]).exits(0);
    server.signal(Signal::TERM);
    let ran = server.end(&house).exits(0);
    assert_eq!(ran.stderr.matches("the audit file cannot be written").count(), 1, "{ran:?}");
    assert!(ran.stderr.contains("can be written again"), "{ran:?}");
    let lines = lines(&house);
    let lost = lines.iter().find(|line| line["outcome"] == "lost").unwrap();
    assert!(lost["verb"] == "audit" && lost["lines"].as_u64().unwrap() >= 1, "{lost}");
    assert_eq!(lines[lines.len() - 1]["outcome"], "ended");
}
