//! On a terminal: tables, colors, questions.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use crate::{
    connections::house_with_passwords,
    house::{ENDLESS, House, within},
};

/// A terminal of so many columns: the side of the person, and the side of the program.
pub(crate) fn terminal(columns: u16) -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
    let program = File::options().read(true).write(true).open(name).unwrap();
    tcsetwinsize(&program, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    (File::from(person), program)
}

pub(crate) fn stdio(terminal: &File) -> Stdio {
    OwnedFd::from(terminal.try_clone().unwrap()).into()
}

/// What the program wrote until it ended.
fn shown(mut person: File) -> String {
    let mut text = Vec::new();
    // A terminal whose program has gone answers with an error at the end.
    let _ = person.read_to_end(&mut text);
    String::from_utf8(text).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_terminal_gets_a_table_that_fits_with_null_in_color() {
    let house = House::new();
    let (person, program) = terminal(40);
    let mut command =
        house.command(["query", "shop", "select id, name, note, hex(zeroblob(50)) as long from products"]);
    command.stdout(stdio(&program)).env("TERM", "xterm");
    let mut child = command.spawn().unwrap();
    drop(command);
    drop(program);
    let text = shown(person);
    assert!(child.wait().unwrap().success());
    assert!(text.contains("\u{1b}[2mNULL\u{1b}[0m"), "{text}");
    let plain = text.replace("\u{1b}[2m", "").replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
    assert!(plain.lines().all(|line| line.chars().count() <= 40), "{plain}");
    assert!(plain.contains('…'), "{plain}");
}

#[test]
fn what_is_nothing_for_eyes_is_not_written_to_a_terminal() {
    let house = House::new();
    for format in ["parquet", "xlsx", "arrow"] {
        let (person, program) = terminal(80);
        let mut command = house.command(["query", "shop", "--format", format, "select 1"]);
        command.stdout(stdio(&program));
        let child = command.spawn().unwrap();
        drop(command);
        drop(program);
        assert_eq!(shown(person), "");
        let ran = house.ran(child.wait_with_output().unwrap()).exits(2);
        assert!(ran.stderr.contains("is nothing for a terminal"), "{ran:?}");
    }
}

#[test]
fn the_answer_to_ctrl_c_is_the_last_line() {
    let house = House::new();
    let (mut person, program) = terminal(80);
    let mut command = house.command(["query", "shop", ENDLESS]);
    command.stdout(stdio(&program)).stderr(stdio(&program)).env("TERM", "xterm").env("NO_COLOR", "1");
    let mut child = command.spawn().unwrap();
    drop(command);
    drop(program);
    // By then rows stream, and more of them wait than a terminal shows at once.
    person.read_exact(&mut vec![0; 500_000]).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut text = String::new();
    let mut part = [0; 4096];
    while let Ok(count @ 1..) = person.read(&mut part) {
        text.push_str(&String::from_utf8_lossy(&part[..count]));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let last = text.lines().last().unwrap_or_default();
    assert!(last.starts_with("cancelled: "), "{last}");
}

#[test]
fn no_color_is_obeyed() {
    let house = House::new();
    let (person, program) = terminal(80);
    let mut command = house.command(["query", "shop", "select id, note from products; select nope"]);
    command.stdout(stdio(&program)).stderr(stdio(&program)).env("TERM", "xterm").env("NO_COLOR", "1");
    let mut child = command.spawn().unwrap();
    drop(command);
    drop(program);
    let text = shown(person);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(text.contains('∅'), "{text}");
}

#[test]
fn progress_is_shown_while_data_goes_elsewhere() {
    let house = House::new();
    let (person, program) = terminal(80);
    let sql = "with recursive c(n) as (select 1 union all select n + 1 from c limit 300000) select n from c; select nope";
    let mut command = house.command(["query", "shop", "-o", "out.csv", sql]);
    command.stderr(stdio(&program)).env("TERM", "xterm");
    let mut child = command.spawn().unwrap();
    drop(command);
    drop(program);
    let text = shown(person);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(text.contains(" rows, ") && text.contains(" MB, "), "{text}");
    // What is said stands on lines of its own.
    let said = text.lines().map(|line| line.rsplit(['\r', 'K']).next().unwrap_or_default());
    assert!(said.clone().any(|line| line.contains("(300,000 rows, ")), "{text}");
    assert!(said.clone().any(|line| line.contains("error:") && line.contains("no such column")), "{text}");
}

#[test]
fn a_password_is_asked_for_without_echo() {
    let house = house_with_passwords();
    house.run(["connections", "add", "n", "nowhere://ada@host"]).exits(0);
    for (keys, code) in [("canary\x03", 130), ("canary\r", 3)] {
        let (mut person, program) = terminal(80);
        // The program's controlling terminal is the one that it asks on.
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", env!("CARGO_BIN_EXE_querybox"), "query", "n", "select 1"]);
        house.furnish(&mut command);
        command.stdin(stdio(&program)).stdout(Stdio::null()).stderr(stdio(&program));
        let mut child = command.spawn().unwrap();
        drop(command);
        let echoes = || tcgetattr(&program).unwrap().local_modes.contains(LocalModes::ECHO);
        within(Duration::from_secs(30), "the question", || !echoes());
        person.write_all(keys.as_bytes()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(echoes(), "the terminal is as it was");
        drop(program);
        let text = shown(person);
        assert!(text.contains("Password for n: "), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
