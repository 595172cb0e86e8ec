//! A vault without a server: master keys come and go, and imports are killed.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use expect_test::expect;
use querybox_vault::MasterKey;

use crate::house::{House, Ran};

/// A house with the PostgreSQL driver, in which a key file is the source.
struct Safe {
    house: House,
}

impl Safe {
    /// Without a key as yet.
    fn empty() -> Safe {
        let house = House::new();
        house.add_driver("postgres");
        Safe { house }
    }

    fn new() -> Safe {
        let safe = Safe::empty();
        safe.source_says(&MasterKey::make());
        safe.run(&["keys", "init"]).exits(0);
        safe
    }

    fn key_file(&self) -> PathBuf {
        self.house.path("key")
    }

    fn source_says(&self, key: &MasterKey) {
        let _ = fs::remove_file(self.key_file());
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.key_file()).unwrap();
        file.write_all(key.to_text().expose()).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.house.command(args);
        if self.key_file().exists() {
            command.env("QUERYBOX_MASTER_KEY_FILE", self.key_file());
        }
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.house.ran(self.command(args).output().unwrap())
    }

    fn run_with(&self, line: &str, args: &[&str]) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let _ = writeln!(child.stdin.take().unwrap(), "{line}");
        self.house.ran(child.wait_with_output().unwrap())
    }

    fn json(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.run(args).exits(0).stdout).unwrap()
    }

    /// The names of the connections to PostgreSQL, sorted.
    fn connections(&self) -> Vec<String> {
        let listed = self.json(&["connections", "list", "--json"]);
        names(listed.as_array().unwrap().iter().filter(|one| one["driver"] == "postgres"), "name")
    }

    /// The names of the connections that have a password, sorted.
    fn with_password(&self) -> Vec<String> {
        let status = self.json(&["credentials", "status", "--json"]);
        names(status["credentials"].as_array().unwrap().iter(), "connection")
    }
}

fn names<'a>(documents: impl Iterator<Item = &'a serde_json::Value>, name: &str) -> Vec<String> {
    let mut names: Vec<String> =
        documents.map(|document| document[name].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

const LINES: usize = 40;

#[test]
fn an_import_that_is_killed_at_any_moment_is_brought_to_its_end() {
    let safe = Safe::new();
    let lines = (1..=LINES).map(|number| format!("db{number}.example.org:5432:shop:ada:secret{number}\n"));
    let path = safe.house.path(".pgpass");
    fs::write(&path, lines.collect::<String>()).unwrap();
    let import = ["connections", "import", path.to_str().unwrap(), "--keep", "vault"];
    // Later and later, and each time at another moment of what is done for a line.
    for (round, wanted) in [0, 1, 1, 2, 4, 8, 15, 23, 31, 39].into_iter().enumerate() {
        let mut child = safe.command(&import).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..wanted {
            let line = output.next().unwrap().unwrap();
            assert!(line.contains("imported") || line.contains("leads there already"), "{line}");
        }
        thread::sleep(Duration::from_millis(3 * round as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(safe.connections(), safe.with_password(), "killed after {wanted} lines");
    }
    let whole = safe.run(&import).exits(0);
    assert!(whole.stderr.ends_with(", 0 failed\n"), "{whole:?}");
    assert_eq!(safe.connections().len(), LINES);
    assert_eq!(safe.with_password(), safe.connections());
    let rotated = safe.run(&["keys", "rotate"]).exits(0);
    assert!(rotated.stderr.contains("40 secrets open"), "{rotated:?}");
}

#[test]
fn a_connection_that_is_added_is_there_with_its_password_or_not_at_all() {
    let safe = Safe::new();
    for round in 0..12 {
        let (name, url) = (format!("shop{round}"), format!("postgres://ada@db{round}.example.org/shop"));
        let add = ["connections", "add", &name, &url, "--password-stdin", "--keep", "vault"];
        let mut child = safe.command(&add).stdin(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "secret").unwrap();
        thread::sleep(Duration::from_millis(25 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(safe.connections(), safe.with_password(), "killed in round {round}");
    }
}

#[test]
fn a_connection_that_is_there_without_its_password_gets_it() {
    let safe = Safe::new();
    let path = safe.house.path(".pgpass");
    fs::write(&path, "db.example.org:5432:shop:ada:secret\n").unwrap();
    let path = path.to_str().unwrap();
    safe.run(&["connections", "import", path, "--keep", "ask"]).exits(0);
    assert!(safe.with_password().is_empty());
    safe.run(&["connections", "import", path, "--keep", "vault", "--dry-run"]).exits(0).on_stdout(expect![[
        r#"
        <house>/.pgpass:1: ada@db.example.org shop is there: its password would be stored
    "#
    ]]);
    safe.run(&["connections", "import", path, "--keep", "vault"])
        .exits(0)
        .on_stdout(expect![[r#"
            <house>/.pgpass:1: ada@db.example.org shop was there: its password is in the vault now
        "#]])
        .on_stderr(expect![[r#"
            1 password stored for connections that were there without
            0 connections imported, 0 skipped, 0 failed
        "#]]);
    assert_eq!(safe.with_password(), ["ada@db.example.org shop"]);
    safe.run(&["connections", "import", path, "--keep", "vault"]).exits(0).on_stdout(expect![[r#"
        <house>/.pgpass:1: skipped: ada@db.example.org shop leads there already
    "#]]);
    // What needs none is left alone, and what lost it gets it again.
    safe.run(&["credentials", "delete", "ada@db.example.org shop"]).exits(0);
    safe.run(&["connections", "import", path]).exits(0);
    assert_eq!(safe.with_password(), ["ada@db.example.org shop"]);
}

#[test]
fn only_plain_files_are_imported() {
    let safe = Safe::new();
    let pipe = safe.house.path("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
    let folder = safe.house.path(".");
    for path in [pipe.to_str().unwrap(), "/dev/zero", folder.to_str().unwrap()] {
        let ran = safe.run(&["connections", "import", path, "--format", "urls"]).exits(2);
        assert!(ran.stderr.contains("no regular file"), "{ran:?}");
    }
    let large = safe.house.path("large");
    fs::File::create(&large).unwrap().set_len((4 << 20) + 1).unwrap();
    let ran = safe.run(&["connections", "import", large.to_str().unwrap(), "--format", "urls"]).exits(2);
    assert!(ran.stderr.contains("too large for a file of connections"), "{ran:?}");
    let marked = safe.house.path("urls.txt");
    fs::write(&marked, "\u{feff}postgres://ada@db.example.org/shop\n").unwrap();
    safe.run(&["connections", "import", marked.to_str().unwrap()]).exits(0);
    assert_eq!(safe.connections(), ["ada@db.example.org shop"]);
}

#[test]
fn a_key_that_nobody_has_is_replaced_while_nothing_is_sealed() {
    let safe = Safe::empty();
    // Printed to nobody.
    safe.run(&["keys", "init"]).exits(0);
    safe.source_says(&MasterKey::make());
    safe.run(&["keys", "init"]).says(
        2,
        expect![[r#"
            error: keys are registered already
             hint: `querybox keys status` shows them, `querybox keys add` registers another one; nothing is sealed under them, so that `querybox keys init --replace-unused` can begin anew
        "#]],
    );
    safe.run(&["keys", "init", "--replace-unused"]).exits(0);
    assert_eq!(safe.json(&["keys", "status", "--json"])["keys"].as_array().unwrap().len(), 1);
    let add =
        ["connections", "add", "orders", "postgres://ada@db/shop", "--password-stdin", "--keep", "vault"];
    safe.run_with("secret", &add).exits(0);

    safe.source_says(&MasterKey::make());
    let before = safe.json(&["keys", "status", "--json"])["keys"][0]["id"].clone();
    safe.run(&["keys", "init", "--replace-unused"]).says(
        2,
        expect![[r#"
            error: secrets are sealed under a key that is registered
             hint: `querybox keys status` shows them, `querybox keys add` registers another one to rotate to
        "#]],
    );
    assert_eq!(safe.json(&["keys", "status", "--json"])["keys"][0]["id"], before);
}

#[test]
fn a_key_beside_the_store_is_warned_of_however_it_is_registered() {
    let safe = Safe::empty();
    let warns = |ran: Ran| assert!(ran.stderr.contains("whoever gets a copy of that folder"), "{ran:?}");
    warns(safe.run(&["keys", "init", "--keep-on-disk"]).exits(0));
    warns(safe.run(&["keys", "init", "--replace-unused"]).exits(0));
    let home = safe.house.home();
    assert_eq!(crate::house::names(&home).iter().filter(|name| name.contains("key")).count(), 1);
}

#[test]
fn a_source_that_is_set_wrongly_is_named() {
    let safe = Safe::empty();
    for (variable, value, why) in [
        ("CREDENTIALS_DIRECTORY", "", "CREDENTIALS_DIRECTORY is no absolute path"),
        ("CREDENTIALS_DIRECTORY", ".", "CREDENTIALS_DIRECTORY is no absolute path"),
        ("QUERYBOX_MASTER_KEY_FD", "0", "QUERYBOX_MASTER_KEY_FD names a standard stream"),
        (
            "QUERYBOX_MASTER_KEY_FD",
            "77",
            "master key from descriptor 77 (QUERYBOX_MASTER_KEY_FD): it is not open",
        ),
    ] {
        let mut command = safe.command(&["keys", "init"]);
        let ran = safe.house.ran(command.env(variable, value).output().unwrap()).exits(2);
        assert!(ran.stderr.contains(why), "{ran:?}");
    }
}

#[test]
fn programs_that_change_keys_beside_the_store_at_once_lose_none() {
    const TURNS: usize = 3;
    let safe = Safe::empty();
    safe.run(&["keys", "init", "--keep-on-disk"]).exits(0);
    let add =
        ["connections", "add", "c", "postgres://ada@127.0.0.1/db", "--keep", "vault", "--password-stdin"];
    safe.run_with("secret", &add).exits(0);
    thread::scope(|programs| {
        for _ in 0..4 {
            programs.spawn(|| {
                for _ in 0..TURNS {
                    safe.run(&["keys", "add"]).exits(0);
                    // Where another program has gone on to a newer key meanwhile, this one may have nothing to open with.
                    safe.run(&["keys", "rotate"]);
                }
            });
        }
    });
    let kept = fs::read_to_string(safe.house.home().join("master.key")).unwrap();
    assert_eq!(kept.lines().count(), 1 + 4 * TURNS, "a key is in no file any more");
    safe.run(&["keys", "rotate"]).exits(0);
    let status = safe.json(&["keys", "status", "--json"]);
    let used: Vec<_> =
        status["keys"].as_array().unwrap().iter().filter(|key| key["credentials"] != 0).collect();
    assert_eq!(used.len(), 1, "{status}");
    assert_eq!((&used[0]["state"], &used[0]["at_hand"]), (&"primary".into(), &true.into()), "{status}");
}

#[test]
fn a_first_key_that_is_refused_is_not_left_beside_the_store() {
    let safe = Safe::empty();
    let codes = thread::scope(|programs| {
        let inits: Vec<_> = (0..4)
            .map(|_| programs.spawn(|| safe.run(&["keys", "init", "--keep-on-disk"]).code))
            .chain((0..4).map(|_| programs.spawn(|| safe.run(&["keys", "init"]).code)))
            .collect();
        inits.into_iter().map(|init| init.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    let status = safe.json(&["keys", "status", "--json"]);
    let keys = status["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1, "{status}");
    let is_kept = safe.house.home().join("master.key").exists();
    assert_eq!(keys[0]["at_hand"] == true, is_kept, "what lies there is what is registered: {status}");
}

#[test]
fn a_password_that_was_dropped_is_told_also_where_the_new_one_cannot_be_kept() {
    let safe = Safe::new();
    let add =
        ["connections", "add", "c", "postgres://ada@127.0.0.1/db", "--keep", "vault", "--password-stdin"];
    safe.run_with("secret", &add).exits(0);
    safe.source_says(&MasterKey::make());
    let edited =
        safe.run_with("another", &["connections", "edit", "c", "--param", "port=5999", "--password-stdin"]);
    assert_ne!(edited.code, 0);
    assert!(edited.stderr.contains("its stored password was dropped"), "{}", edited.stderr);
    assert!(safe.with_password().is_empty());
}
