//! Each soak passes, on the built programs of this profile.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use querybox_bench::{
    Programs,
    soak::{Verdict, cancel, rotation, server, spawn},
};
use querybox_fixtures::program;

/// A soak counts what its process holds, so that no other may run in it.
static ALONE: Mutex<()> = Mutex::new(());

fn check(soak: impl AsyncFnOnce(Programs) -> anyhow::Result<Verdict>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let jail = program("querybox-jail");
    let programs = Programs::in_folder(jail.parent().unwrap().to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .thread_keep_alive(Duration::from_millis(100))
        .build()
        .unwrap();
    let verdict = runtime.block_on(soak(programs)).unwrap();
    println!("{verdict}");
    assert!(verdict.has_passed(), "{verdict}");
}

#[test]
fn a_hundred_spawns_and_kills_leave_nothing() {
    check(async |programs| spawn::run(&programs, spawn::SpawnSoak { cycles: 100, seed: 1 }).await);
}

#[test]
fn each_cancel_has_a_true_receipt() {
    check(async |programs| cancel::run(&programs, cancel::CancelSoak { cancels: 10, seed: 1 }).await);
}

#[test]
fn a_crowd_loses_no_row_and_leaves_nothing() {
    let soak = server::ServerSoak { clients: 10, time: Duration::from_secs(5), seed: 1, drawing: None };
    check(async |programs| server::run(&programs, soak).await);
}

#[test]
fn a_rotation_that_is_struck_at_a_disk_call_loses_nothing() {
    check(async |programs| rotation::run(&programs, rotation::RotationSoak { points_max: Some(3) }).await);
}
