//! What is left: nothing.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use querybox_fixtures::{example, program};
use querybox_launcher::Cause;

use crate::{
    groups::{folders_of, group_of},
    house::{House, script},
};

#[tokio::test]
async fn a_hundred_spawns_leave_no_zombie_and_no_descriptor() {
    let house = House::new();
    // The first ones open what stays open.
    house.start().await.kill().await;
    let before = descriptors();
    let group = group_of(house.start().await.pid());
    for round in 0..100 {
        let driver = house.start().await;
        // Every way of letting go.
        match round % 4 {
            0 => drop(driver),
            1 => assert_eq!(driver.kill().await.cause, Cause::Killed),
            2 => assert_eq!(crate::house::open(driver).await.close().await.cause, Cause::Exited(0)),
            _ => {
                let driver = crate::house::open(driver).await;
                let mut parts = driver.execute(script("wait")).await.unwrap();
                parts.next().await.unwrap();
                drop(driver);
            }
        }
    }
    house.launcher.shutdown().await;
    assert_eq!(children(), BTreeSet::new());
    check_no_group_is_left(std::process::id(), group.as_deref());
    let after = descriptors();
    assert!(after <= before, "{before} before, {after} after");
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_nothing() {
    let house = House::new();
    let group = group_of(house.start().await.pid());
    for microseconds in (0..8000).step_by(200) {
        let order = house.order();
        let starting = house.launcher.start(&order);
        let _ = tokio::time::timeout(Duration::from_micros(microseconds), starting).await;
    }
    house.launcher.shutdown().await;
    assert_eq!(children(), BTreeSet::new());
    check_no_group_is_left(std::process::id(), group.as_deref());
}

#[tokio::test]
async fn shutdown_waits_until_every_driver_is_gone() {
    let house = House::new();
    let mut drivers = Vec::new();
    for _ in 0..5 {
        drivers.push(house.open().await);
    }
    assert_eq!(children().len(), 5);
    house.launcher.shutdown().await;
    assert_eq!(children(), BTreeSet::new());
    for driver in drivers {
        assert_eq!(driver.ended().await.cause, Cause::Killed);
    }
}

#[test]
fn a_runtime_that_goes_down_without_a_shutdown_leaves_no_zombie() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let house = House::new();
    let driver = runtime.block_on(house.open());
    assert_eq!(children().len(), 1);
    let group = group_of(driver.pid());
    drop(runtime);
    drop(driver);
    let down = Instant::now();
    while !children().is_empty() || group.as_ref().is_some_and(|group| group.exists()) {
        assert!(down.elapsed() < Duration::from_secs(2), "a zombie or its control group is left");
        thread::sleep(Duration::from_millis(5));
    }
    drop(house);
    while group.as_ref().is_some_and(|group| !folders_of(std::process::id(), group).is_empty()) {
        assert!(down.elapsed() < Duration::from_secs(4), "a folder of control groups is left");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn fifty_threads_ending_kill_no_driver() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let house = Arc::new(House::new());
    let started = Arc::new(Barrier::new(51));
    let starters = (0..50)
        .map(|_| {
            let (house, started, handle) =
                (Arc::clone(&house), Arc::clone(&started), runtime.handle().clone());
            thread::spawn(move || {
                let driver = handle.block_on(house.open());
                started.wait();
                driver
            })
        })
        .collect::<Vec<_>>();
    started.wait();
    // Joining ends each thread that asked for a driver; its driver must still answer.
    let drivers = starters.into_iter().map(|starter| starter.join().unwrap()).collect::<Vec<_>>();
    runtime.block_on(async {
        for driver in &drivers {
            let mut parts = driver.execute(script("rows 1")).await.unwrap();
            while parts.next().await.unwrap().is_some() {}
        }
        house.launcher.shutdown().await;
    });
}

#[test]
fn killed_core_leaves_no_driver_after_two_seconds() {
    let house = House::new();
    let mut core = Command::new(example("short-lived-core"))
        .args([program("querybox-jail").as_path(), house.driver.path()])
        .arg("8")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(core.stdout.take().unwrap()).lines();
    let drivers = lines.map(Result::unwrap).take_while(|line| line != "ready").collect::<Vec<_>>();
    assert_eq!(drivers.len(), 8);
    let alive =
        |pid: &String| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !is_zombie(&stat));
    assert!(drivers.iter().all(alive));
    let group = group_of(drivers[0].parse().unwrap());
    core.kill().unwrap();
    core.wait().unwrap();
    let killed = Instant::now();
    while drivers.iter().any(alive) {
        assert!(killed.elapsed() < Duration::from_secs(2), "drivers live on");
        thread::sleep(Duration::from_millis(10));
    }
    if let Some(group) = &group {
        assert_eq!(folders_of(core.id(), group).len(), 1, "nobody was left to remove it");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            drop(house.start().await);
            house.launcher.shutdown().await;
        });
    }
    check_no_group_is_left(core.id(), group.as_deref());
}

#[track_caller]
fn check_no_group_is_left(pid: u32, group: Option<&Path>) {
    if let Some(group) = group {
        assert_eq!(folders_of(pid, group), Vec::<PathBuf>::new());
    }
}

fn is_zombie(stat: &str) -> bool {
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'))
}

/// The processes that this one started and did not wait for.
pub(crate) fn children() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let children = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().map(str::to_owned));
    }
    found
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
