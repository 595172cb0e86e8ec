//! A real GNOME Keyring, and what may happen to it.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use querybox_fixtures::{Keyring, KeyringState, example};

/// What the promise allows a call to take, with what this machine takes to start a thread and print a line.
const ANSWER_MAX: Duration = Duration::from_millis(5_500);
/// Far below the time that is waited for a keyring.
const AT_ONCE: Duration = Duration::from_millis(2_000);

/// The example program, as a process that finds a bus in its environment; the keyring is one and the same all along.
struct Client {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Client {
    fn of(keyring: &Keyring) -> Client {
        Client::start(|command| command.envs(keyring.environment()))
    }

    fn start(prepare: impl FnOnce(&mut Command) -> &mut Command) -> Client {
        let mut command = Command::new(example("keyring-client"));
        prepare(command.env_clear()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Client { process, commands, answers }
    }

    fn say(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
    }

    /// What it answered, and after how long.
    fn hear(&mut self) -> (Duration, String) {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let (time, answer) = line.trim_end().split_once(" ms: ").unwrap();
        (Duration::from_millis(time.parse().unwrap()), answer.to_owned())
    }

    #[track_caller]
    fn check(&mut self, command: &str, expected: &str) {
        self.say(command);
        let (time, answer) = self.hear();
        assert_eq!(answer, expected, "{command}");
        assert!(time < ANSWER_MAX, "{command}: {time:?}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

const ENTRY: [&str; 4] = ["service", "QueryBox", "username", "s1/e1"];

#[test]
fn an_entry_is_kept_seen_by_others_and_removed_and_never_written_over() {
    let keyring = Keyring::start();
    let mut client = Client::of(&keyring);
    client.check("probe", "available");
    client.check("get s1 e1", "none");
    client.check("add s1 e1 p\u{e4}ss", "added");
    client.check("get s1 e1", "p\u{e4}ss");
    assert_eq!(keyring.lookup(&ENTRY).unwrap(), "p\u{e4}ss".as_bytes());
    client.check("add s1 e1 other", r#"Failed { why: "there is an entry of this name already" }"#);
    client.check("get s1 e1", "p\u{e4}ss");
    // People find it by what it is, and by its store.
    for attributes in [&ENTRY[..2], &["application", "querybox"], &["store", "s1"]] {
        let shown = keyring.search(attributes);
        assert!(shown.contains("label = QueryBox: shop, password"), "{shown}");
        assert_eq!(shown.matches("label = ").count(), 1, "{shown}");
    }

    client.check("delete s1 e1", "true");
    client.check("delete s1 e1", "false");
    client.check("get s1 e1", "none");
    assert_eq!(keyring.lookup(&ENTRY), None);
}

#[test]
fn each_entry_of_each_store_is_its_own() {
    let keyring = Keyring::start();
    let mut client = Client::of(&keyring);
    for (entry, secret) in [("s1 e1", "a"), ("s1 e2", "b"), ("s2 e1", "c")] {
        client.check(&format!("add {entry} {secret}"), "added");
    }
    client.check("delete s1 e1", "true");
    client.check("get s1 e1", "none");
    client.check("get s1 e2", "b");
    client.check("get s2 e1", "c");
}

#[test]
fn a_locked_keyring_says_so_and_is_left_locked() {
    let mut keyring = Keyring::start();
    let mut client = Client::of(&keyring);
    client.check("add s1 e1 sesame", "added");
    keyring.lock();
    for command in ["probe", "get s1 e1", "add s1 e2 other", "add s2 e1 x", "delete s1 e1"] {
        client.say(command);
        let (time, answer) = client.hear();
        assert_eq!(answer, "Locked", "{command}");
        assert!(time < AT_ONCE, "{command}: {time:?}");
    }
    // Logging in unlocks it.
    keyring.kill();
    keyring.start_daemon();
    client.check("get s1 e1", "sesame");
    client.check("get s2 e1", "none");
}

#[test]
fn without_a_bus_there_is_no_keyring() {
    let folder = tempfile::tempdir().unwrap();
    let no_bus = format!("unix:path={}", folder.path().join("bus").display());
    // A socket that nobody listens at.
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("dead")).unwrap());
    let dead_bus = format!("unix:path={}", folder.path().join("dead").display());
    for address in [Some(no_bus.as_str()), Some(&dead_bus), Some("nonsense"), None] {
        let mut client = Client::start(|command| {
            command.env("XDG_RUNTIME_DIR", folder.path());
            match address {
                Some(address) => command.env("DBUS_SESSION_BUS_ADDRESS", address),
                None => command,
            }
        });
        client.check("probe", "Absent");
        client.check("add s1 e1 x", "Absent");
        client.check("get s1 e1", "Absent");
    }
}

#[test]
fn a_bus_without_a_keyring_has_none() {
    let keyring = Keyring::start_with(KeyringState::NoService);
    let mut client = Client::of(&keyring);
    client.check("probe", "Absent");
    client.check("get s1 e1", "Absent");
    client.check("add s1 e1 x", "Absent");
}

#[test]
fn a_bus_that_lets_nobody_at_it_is_a_refusal() {
    let keyring = Keyring::start_with(KeyringState::Denied);
    let mut client = Client::of(&keyring);
    client.check("probe", "Denied");
    client.check("add s1 e1 x", "Denied");
}

#[test]
fn a_keyring_that_was_killed_is_absent_until_it_is_there_again() {
    let mut keyring = Keyring::start();
    let mut client = Client::of(&keyring);
    client.check("add s1 e1 sesame", "added");
    keyring.kill();
    client.check("get s1 e1", "Absent");
    client.check("add s1 e2 other", "Absent");
    keyring.start_daemon();
    client.check("get s1 e1", "sesame");
}

#[test]
fn a_keyring_that_hangs_is_given_up_in_time_and_comes_back() {
    let keyring = Keyring::start();
    let mut client = Client::of(&keyring);
    client.check("add s1 e1 sesame", "added");
    keyring.pause();
    client.check("get s1 e1", "Silent");
    // The next does not wait again.
    client.say("probe");
    let (time, answer) = client.hear();
    assert_eq!(answer, "Silent");
    assert!(time < AT_ONCE, "{time:?}");
    keyring.resume();
    let mut attempts = 0;
    loop {
        client.say("get s1 e1");
        match client.hear().1.as_str() {
            "Silent" if attempts < 100 => std::thread::sleep(Duration::from_millis(50)),
            answer => break assert_eq!(answer, "sesame"),
        }
        attempts += 1;
    }
}

#[test]
fn a_keyring_that_dies_in_the_middle_of_a_call_ends_the_call() {
    let mut keyring = Keyring::start();
    let mut client = Client::of(&keyring);
    client.check("probe", "available");
    keyring.pause();
    client.say("get s1 e1");
    // The call is under way now, or soon meets nobody.
    std::thread::sleep(Duration::from_millis(300));
    keyring.kill();
    let (time, answer) = client.hear();
    assert!(["Silent", "Absent"].contains(&answer.as_str()), "{answer}");
    assert!(time < Duration::from_secs(4), "{time:?}");
}
