//! How far exports of kept results are, on a terminal.

use std::{io::Read as _, time::Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    results::keep,
    server::{PATIENCE, Server},
};
use crate::{
    house::{ENDLESS, House},
    terminal::{stdio, terminal},
};

#[test]
fn an_export_shows_its_rows_and_bytes_and_takes_the_line_away() {
    let house = House::new();
    let server = Server::start(&house);
    let id = keep(&house, &server, ENDLESS);
    let (mut person, program) = terminal(80);
    let url = server.url();
    let mut command = house.command(["results", "export", &id, "-o", "out.csv", "--server", &url]);
    command.stderr(stdio(&program)).env("TERM", "xterm").env("NO_COLOR", "1");
    let mut child = command.spawn().unwrap();
    drop(command);
    drop(program);
    let (mut text, mut part, start) = (String::new(), [0; 4096], Instant::now());
    let mut is_told = false;
    // A terminal whose program has gone answers with an error.
    while let Ok(count @ 1..) = person.read(&mut part) {
        text.push_str(&String::from_utf8_lossy(&part[..count]));
        // What runs has no end, and so the export has none of its own.
        if !is_told && text.contains(" rows, ") && text.contains(" MB") {
            is_told = true;
            kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        }
        assert!(start.elapsed() < PATIENCE, "{text}");
    }
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    let last = text.lines().last().unwrap_or_default();
    assert!(is_told && last.rsplit(['\r', 'K']).next().unwrap_or_default().contains("cancelled"), "{text}");
    assert!(!house.path("out.csv").exists());
}
