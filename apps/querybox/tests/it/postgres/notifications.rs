//! What sessions are notified of, at a shell's prompt: nothing is lost without a word.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use querybox_fixtures::Postgres;

use super::{PG, Site};
use crate::{house::within, shell_terminal::person::Person};

const CTRL_D: &str = "\x04";
/// No driver keeps more for a reader that is slow.
const BURST: u64 = 900;

fn listening(site: &Site, environment: &[(&str, &str)]) -> Person {
    let mut person = Person::with(&site.house, &[PG], environment);
    person.sees("Password for pg: ");
    person.types(Postgres::PASSWORD).types("\r");
    person.sees("pg=> ");
    person.types("listen x;\r").sees("(LISTEN, ");
    person.sees("pg=> ");
    person
}

/// How many notifications were shown, and how many were said to be missed.
fn told(person: &Person) -> (u64, u64) {
    let plain = person.plain();
    let shown = plain.matches("notification \"x\" with payload \"m").count();
    let missed = plain.split("warning: at least ").skip(1);
    let missed = missed.map(|rest| rest.split(' ').next().unwrap().replace(',', "").parse::<u64>().unwrap());
    (shown as u64, missed.sum())
}

#[test]
fn each_of_many_at_once_is_shown_or_counted() {
    let site = Site::start();
    let mut person = listening(&site, &[]);
    site.ask(&format!("select count(pg_notify('x', 'm' || g)) from generate_series(1, {BURST}) g"));
    within(Duration::from_secs(60), "all are told of", || {
        let (shown, missed) = told(&person);
        shown + missed >= BURST
    });
    let (shown, missed) = told(&person);
    assert_eq!(shown + missed, BURST);
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn those_that_come_while_nobody_can_read_are_counted() {
    const BURSTS: u64 = 10;
    let site = Site::start();
    // An editor that is open for as long as the test wishes, and not for ever.
    let (editor, open, gate) = (site.house.path("editor"), site.house.path("open"), site.house.path("gate"));
    let waits = "for turn in $(seq 1200); do test -e \"$(dirname \"$0\")/gate\" && exit; sleep 0.1; done";
    fs::write(&editor, format!("#!/bin/sh\n: > \"$(dirname \"$0\")/open\"\n{waits}\n")).unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let mut person = listening(&site, &[("EDITOR", editor.to_str().unwrap())]);
    person.types("\\e\r");
    within(Duration::from_secs(60), "the editor", || open.exists());
    for _ in 0..BURSTS {
        site.ask(&format!("select count(pg_notify('x', 'm' || g)) from generate_series(1, {BURST}) g"));
    }
    site.ask("notify x, 'the last'");
    fs::write(gate, "").unwrap();
    person.sees("events before this were missed: they came faster than they could be shown");
    person.sees("notification \"x\" with payload \"the last\"");
    let (shown, missed) = told(&person);
    assert!(missed > 0 && shown + missed <= BURST * BURSTS, "{shown} shown, {missed} missed");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}
