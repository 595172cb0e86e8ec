//! What a driver cannot do to a process of its own user: to Core, when an ordinary user started it, or to another driver.

use std::{
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command},
};

use libc::{
    O_ASYNC, O_NONBLOCK, SYS_fcntl, SYS_ioctl, SYS_ioprio_set, SYS_prctl, SYS_sched_setaffinity,
    SYS_sched_setattr, SYS_sched_setparam, SYS_sched_setscheduler, SYS_setpgid, SYS_setpriority, SYS_write,
};
use querybox_fixtures::User;
use rustix::process::{Pid, Signal, kill_process};

use crate::trial::{Starter, Trial, text};

const F_SETFL: i32 = 4;
const F_SETOWN: i32 = 8;
const F_SETSIG: i32 = 10;
const F_SETOWN_EX: i32 = 15;
const F_SETLEASE: i32 = 1024;
const F_NOTIFY: i32 = 1026;
const FIOSETOWN: i32 = 0x8901;
const SIOCSPGRP: i32 = 0x8902;
const FIOASYNC: i32 = 0x5452;

/// Another process of the driver's user. It sleeps, until [`Neighbor::end`] or the end of the test.
struct Neighbor(Child);

impl Neighbor {
    fn start(user: User) -> Self {
        let mut command = Command::new("sleep");
        if user.uid != rustix::process::geteuid().as_raw() {
            command.uid(user.uid).gid(user.gid);
        }
        Self(command.arg("600").spawn().unwrap())
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to end, and says by which signal it did: by SIGTERM, unless another came before.
    fn end(mut self) -> Option<Signal> {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        self.0.wait().unwrap().signal().and_then(Signal::from_named_raw)
    }
}

impl Drop for Neighbor {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A trial whose driver makes the system calls it is told: see `calls.pl`.
fn caller(starter: Starter) -> Trial {
    let mut trial = Trial::new(starter);
    trial.policy.driver =
        trial.programs().add_file("calls.pl", starter.user(), 0o755, include_str!("calls.pl")).unwrap();
    trial
}

fn words(calls: &str) -> Vec<&str> {
    calls.split_whitespace().collect()
}

/// Each call fails for want of permission in the jail and is done without it. The calls are made for a neighbor.
#[track_caller]
fn check_calls_prevented(calls: impl Fn(u32) -> Vec<String>) {
    for starter in Starter::all() {
        let trial = caller(starter);
        let neighbor = Neighbor::start(starter.driver());
        for call in calls(neighbor.id()) {
            let free = trial.run_free(&words(&call));
            assert_eq!(free.stdout, "done\n", "without the jail, {starter:?}, {call}: {free:?}");
            let jailed = trial.run(&words(&call));
            assert!(jailed.stdout.starts_with("failed PermissionDenied"), "{starter:?}, {call}: {jailed:?}");
        }
    }
}

#[track_caller]
fn check_calls_allowed(calls: &[String]) {
    for starter in Starter::all() {
        let trial = caller(starter);
        for call in calls {
            for outcome in [trial.run_free(&words(call)), trial.run(&words(call))] {
                assert_eq!(outcome.stdout, "done\n", "{starter:?}, {call}: {outcome:?}");
            }
        }
    }
}

#[test]
fn a_driver_cannot_kill_by_a_descriptor_that_it_gave_away() {
    for starter in Starter::all() {
        let trial = caller(starter);
        let attack = |neighbor: &Neighbor| {
            let kill = Signal::KILL.as_raw();
            [
                format!("{SYS_fcntl} socket {F_SETOWN} {}", neighbor.id()),
                format!("{SYS_fcntl} socket {F_SETSIG} {kill}"),
                format!("{SYS_fcntl} socket {F_SETFL} {O_ASYNC}"),
                format!("{SYS_write} peer ints:0 1"),
            ]
            .join(" then ")
        };

        let neighbor = Neighbor::start(starter.driver());
        let free = trial.run_free(&words(&attack(&neighbor)));
        assert_eq!(free.stdout, "done\ndone\ndone\ndone\n", "{free:?}");
        assert_eq!(neighbor.end(), Some(Signal::KILL), "without the jail, {starter:?}");

        let neighbor = Neighbor::start(starter.driver());
        let jailed = trial.run(&words(&attack(&neighbor)));
        let [own, signal, on_bytes, write] = jailed.stdout.lines().collect::<Vec<_>>()[..] else {
            panic!("{jailed:?}")
        };
        for line in [own, signal, on_bytes] {
            assert!(line.starts_with("failed PermissionDenied"), "{jailed:?}");
        }
        assert_eq!(write, "done");
        assert_eq!(neighbor.end(), Some(Signal::TERM), "in the jail, {starter:?}");
    }
}

#[test]
fn a_driver_gives_no_descriptor_to_a_neighbor_in_any_form() {
    const F_OWNER_PID: i32 = 1;
    check_calls_prevented(|neighbor| {
        vec![
            format!("{SYS_fcntl} socket {F_SETOWN} {neighbor}"),
            format!("{SYS_fcntl} socket {F_SETOWN_EX} ints:{F_OWNER_PID},{neighbor}"),
            format!("{SYS_ioctl} socket {FIOSETOWN} ints:{neighbor}"),
            format!("{SYS_ioctl} socket {SIOCSPGRP} ints:{neighbor}"),
        ]
    });
}

#[test]
fn a_driver_asks_for_no_signals_from_descriptors() {
    const DN_CREATE: i32 = 4;
    check_calls_prevented(|_| {
        vec![
            format!("{SYS_fcntl} socket {F_SETSIG} {}", Signal::KILL.as_raw()),
            format!("{SYS_fcntl} socket {F_SETFL} {}", O_ASYNC | O_NONBLOCK),
            format!("{SYS_ioctl} socket {FIOASYNC} ints:1"),
            format!("{SYS_fcntl} open:/ {F_NOTIFY} {DN_CREATE}"),
        ]
    });
    check_calls_allowed(&[format!("{SYS_fcntl} socket {F_SETFL} {O_NONBLOCK}")]);
}

#[test]
fn a_driver_holds_up_nobody_who_opens_a_file() {
    const F_RDLCK: i32 = 0;
    for starter in Starter::all() {
        let trial = caller(starter);
        let file = trial.programs().add_file("shop.db", starter.driver(), 0o600, "").unwrap();
        let lease = format!("{SYS_fcntl} open:{} {F_SETLEASE} {F_RDLCK}", text(&file));
        let free = trial.run_free(&words(&lease));
        assert_eq!(free.stdout, "done\n", "without the jail, {starter:?}: {free:?}");
        let jailed = trial.run(&words(&lease));
        assert!(jailed.stdout.starts_with("failed PermissionDenied"), "in the jail, {starter:?}: {jailed:?}");
    }
}

#[test]
fn a_driver_does_not_slow_its_neighbors() {
    const PRIO_PROCESS: i32 = 0;
    const IOPRIO_WHO_PROCESS: i32 = 1;
    const IOPRIO_BEST_EFFORT_LAST: i32 = (2 << 13) | 7;
    const SCHED_BATCH: i32 = 3;
    const ANY_PROCESSOR: &str = "ints:-1,-1";
    // Size 48, policy, flags (2), nice, priority, and three times of 64 bits.
    const ATTRIBUTES: &str = "ints:48,3,0,0,19,0,0,0,0,0,0,0";
    check_calls_prevented(|neighbor| {
        vec![
            format!("{SYS_setpriority} {PRIO_PROCESS} {neighbor} 19"),
            format!("{SYS_ioprio_set} {IOPRIO_WHO_PROCESS} {neighbor} {IOPRIO_BEST_EFFORT_LAST}"),
            format!("{SYS_sched_setaffinity} {neighbor} 8 {ANY_PROCESSOR}"),
            format!("{SYS_sched_setscheduler} {neighbor} {SCHED_BATCH} ints:0"),
            format!("{SYS_sched_setparam} {neighbor} ints:0"),
            format!("{SYS_sched_setattr} {neighbor} {ATTRIBUTES} 0"),
        ]
    });
    let itself = [
        format!("{SYS_setpriority} {PRIO_PROCESS} 0 19"),
        format!("{SYS_ioprio_set} {IOPRIO_WHO_PROCESS} 0 {IOPRIO_BEST_EFFORT_LAST}"),
        format!("{SYS_sched_setaffinity} 0 8 {ANY_PROCESSOR}"),
        format!("{SYS_sched_setscheduler} 0 {SCHED_BATCH} ints:0"),
        format!("{SYS_sched_setattr} 0 {ATTRIBUTES} 0"),
    ];
    check_calls_allowed(&itself);
}

#[test]
fn a_driver_changes_neither_all_processes_of_its_user_nor_groups_nor_cores() {
    const PRIO_USER: i32 = 2;
    const IOPRIO_WHO_USER: i32 = 3;
    const PR_SCHED_CORE: i32 = 62;
    // Without the jail the first two would change whatever else the user runs, and the last two depend on the machine: so
    // they are tried in the jail alone, where each is refused before the kernel looks at its arguments.
    for starter in Starter::all() {
        let trial = caller(starter);
        let neighbor = Neighbor::start(starter.driver());
        for call in [
            format!("{SYS_setpriority} {PRIO_USER} 0 0"),
            format!("{SYS_ioprio_set} {IOPRIO_WHO_USER} 0 0"),
            format!("{SYS_setpgid} {} 0", neighbor.id()),
            format!("{SYS_prctl} {PR_SCHED_CORE} 1 {} 0 0", neighbor.id()),
        ] {
            let jailed = trial.run(&words(&call));
            assert!(jailed.stdout.starts_with("failed PermissionDenied"), "{starter:?}, {call}: {jailed:?}");
        }
    }
}

#[test]
fn a_thread_pins_itself_and_no_thread_by_its_number() {
    for starter in Starter::all() {
        let trial = Trial::new(starter);
        for (attempt, in_the_jail) in [
            ("pin-this-process", "done"),
            ("pin-this-thread", "done"),
            ("pin-this-thread-by-its-id", "failed PermissionDenied"),
        ] {
            let free = trial.run_free(&[attempt]);
            assert!(free.stdout.starts_with("done"), "without the jail, {starter:?}, {attempt}: {free:?}");
            let jailed = trial.run(&[attempt]);
            assert!(
                jailed.stdout.starts_with(in_the_jail),
                "in the jail, {starter:?}, {attempt}: {jailed:?}"
            );
        }
    }
}
