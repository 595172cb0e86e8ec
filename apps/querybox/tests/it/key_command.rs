//! A command that prints the master key, and how it ends when its reader does.

use std::{
    fs,
    io::Write,
    os::unix::{fs::OpenOptionsExt, process::ExitStatusExt},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::house::{House, lives, within};

/// Long enough for a machine with other work.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that waits for a command which never prints a key, and the two processes that the command consists of.
struct Waiting {
    program: Child,
    command: Vec<Pid>,
}

impl Waiting {
    fn start(house: &House, args: &[&str]) -> Waiting {
        let numbers = house.path("numbers");
        let _ = fs::remove_file(&numbers);
        let script = house.path("key.sh");
        let numbers_path = numbers.display();
        fs::write(
            &script,
            format!(
                "sleep 600 &\necho $$ $! > {numbers_path}.new\nmv {numbers_path}.new {numbers_path}\nwait\n"
            ),
        )
        .unwrap();
        let mut command = house.command(args);
        command.env("QUERYBOX_MASTER_KEY_COMMAND", format!("/bin/sh {}", script.display()));
        let program = command.spawn().unwrap();
        within(PATIENCE, "the command runs", || numbers.exists());
        let command = fs::read_to_string(&numbers).unwrap();
        let command = command.split_whitespace().map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap());
        let command: Vec<Pid> = command.collect();
        assert!(command.len() == 2 && command.iter().all(|pid| lives(*pid)));
        Waiting { program, command }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.program), signal).unwrap();
    }

    fn expect_command_gone(&self) {
        within(PATIENCE, "the command is gone", || !self.command.iter().any(|pid| lives(*pid)));
    }
}

#[test]
fn it_ends_with_the_program_however_that_ends() {
    // What is stopped by Ctrl-C, by its end, and by what it can do nothing about.
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let house = House::new();
        let mut waiting = Waiting::start(&house, &["keys", "status"]);
        waiting.signal(signal);
        let ended = waiting.program.wait().unwrap();
        assert_eq!(ended.signal(), Some(signal.as_raw()), "{ended:?}");
        waiting.expect_command_gone();
    }
}

#[test]
fn whoever_stops_a_verb_that_waits_for_it_waits_no_longer() {
    let house = House::new();
    house.add_driver("postgres");
    let key = house.run(["keys", "init"]).exits(0).stdout;
    let file = house.path("key");
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file).unwrap();
    fs::write(&file, key).unwrap();
    let mut add = house.command([
        "connections",
        "add",
        "far",
        "postgres://ada@127.0.0.1:1/db",
        "--password-stdin",
        "--keep",
        "vault",
    ]);
    let mut add = add.env("QUERYBOX_MASTER_KEY_FILE", &file).stdin(Stdio::piped()).spawn().unwrap();
    add.stdin.take().unwrap().write_all(b"secret\n").unwrap();
    house.ran(add.wait_with_output().unwrap()).exits(0);

    for args in [
        &["query", "far", "select 1"][..],
        &["shell", "far"],
        &["schema", "far"],
        &["connections", "test", "far"],
    ] {
        let mut waiting = Waiting::start(&house, args);
        let began = Instant::now();
        waiting.signal(Signal::INT);
        let ended = waiting.program.wait().unwrap();
        // A second is promised to a machine that is free; the command's own time would be ten.
        assert!(began.elapsed() < Duration::from_secs(4), "{args:?} took {:?}", began.elapsed());
        assert!(
            ended.code() == Some(130) || ended.signal() == Some(Signal::INT.as_raw()),
            "{args:?}: {ended:?}"
        );
        waiting.expect_command_gone();
    }
}

#[test]
fn a_query_that_needs_no_password_does_not_ask_it_for_the_historys_sake() {
    let house = House::new();
    let key = house.path("key");
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&key).unwrap();
    file.write_all(querybox_vault::MasterKey::make().to_text().expose()).unwrap();
    let (script, asked) = (house.path("asked.sh"), house.path("asked"));
    fs::write(&script, format!("touch {}\ncat {}\n", asked.display(), key.display())).unwrap();
    let run = |args: &[&str]| {
        let mut command = house.command(args);
        command.env("QUERYBOX_MASTER_KEY_COMMAND", format!("/bin/sh {}", script.display()));
        house.ran(command.output().unwrap())
    };
    run(&["keys", "init"]).exits(0);
    fs::remove_file(&asked).unwrap();
    run(&["query", "shop", "select 1"]).exits(0);
    assert!(!asked.exists(), "a person would be asked to unlock a safe");
    // It is asked to open what was kept, and that there is nothing to open is seen then.
    let listed = run(&["history", "list", "--limit", "1"]).exits(0);
    assert!(asked.exists() && listed.stdout.contains("(not kept)"), "{listed:?}");
}
