//! Drivers that are started before somebody needs them.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use querybox_fixtures::{Folder, Postgres, PostgresOptions, copy_program, example, program, unprivileged};
use querybox_launcher::{
    Cause, Config, Driver, DriverFile, FileGrant, Ids, Launcher, MemoryControl, SpareLimits, StartError,
    StartOrder, Step,
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;

use crate::{
    detached::Place,
    house::{House, deadline, open, owner, script},
    residue::children,
};

/// For what happens in the background on a loaded machine.
const SOON: Duration = Duration::from_secs(30);

fn limits() -> SpareLimits {
    SpareLimits {
        per_driver: 2,
        total: 4,
        age_max: Duration::from_secs(600),
        available_memory_min_bytes: 0,
        meminfo: "/proc/meminfo".into(),
    }
}

fn launcher(spares: SpareLimits) -> Launcher {
    let (jail, user) = (program("querybox-jail"), unprivileged());
    let unprivileged = Ids { uid: user.uid, gid: user.gid };
    Launcher::new(Config { jail, unprivileged, memory: MemoryControl::Groups, spares: Some(spares) }).unwrap()
}

fn house(spares: SpareLimits) -> House {
    House { launcher: launcher(spares), ..House::new() }
}

/// The same driver under other limits.
fn other(order: &StartOrder, memory_bytes_max: u64) -> StartOrder {
    let mut order = order.clone();
    order.limits.memory_bytes_max = memory_bytes_max;
    order
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < SOON, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until_ready(launcher: &Launcher, count: usize) {
    until("spares are made or given up", || launcher.spare_counts().ready == count).await;
}

async fn works(driver: Driver) {
    let driver = open(driver).await;
    let mut parts = driver.execute(script("rows 1")).await.unwrap();
    while parts.next().await.unwrap().is_some() {}
    // It would hold the socket open.
    drop(parts);
    assert_eq!(driver.close().await.cause, Cause::Exited(0));
}

fn kill(pid: &str) {
    kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_start_takes_a_process_that_was_there_before_and_another_one_is_made() {
    let house = house(limits());
    house.launcher.warm(&house.order());
    until_ready(&house.launcher, 2).await;
    let before = children();
    assert_eq!(before.len(), 2);
    let driver = house.start().await;
    assert!(before.contains(&driver.pid().to_string()));
    until_ready(&house.launcher, 2).await;
    works(driver).await;
    let counts = house.launcher.spare_counts();
    assert_eq!((counts.used, counts.missed, counts.dropped), (1, 0, 0));
    house.launcher.shutdown().await;
}

#[tokio::test]
async fn a_start_that_finds_none_makes_some_for_the_next() {
    let house = house(limits());
    let first = house.start().await;
    until_ready(&house.launcher, 2).await;
    works(first).await;
    works(house.start().await).await;
    let counts = house.launcher.spare_counts();
    assert_eq!((counts.used, counts.missed), (1, 1));
    house.launcher.shutdown().await;
}

#[tokio::test]
async fn an_order_with_a_file_or_a_deadline_gets_a_process_of_its_own() {
    let house = house(limits());
    house.launcher.warm(&house.order());
    until_ready(&house.launcher, 2).await;
    let before = children();
    let file = house.folder.add_file("shop.db", owner(), 0o644, "").unwrap();
    let granted = StartOrder { grant: Some(FileGrant::resolve(&file).unwrap()), ..house.order() };
    let limited = StartOrder { deadline: deadline(20_000), ..house.order() };
    for order in [granted, limited, other(&house.order(), 300 << 20)] {
        let driver = house.launcher.start(&order).await.unwrap();
        assert!(!before.contains(&driver.pid().to_string()));
        driver.kill().await;
    }
    assert_eq!(house.launcher.spare_counts().used, 0);
    assert_eq!(
        house.launcher.spare_counts().missed,
        1,
        "only the one of other limits could have had a spare"
    );
    house.launcher.shutdown().await;
}

#[tokio::test]
async fn there_are_no_more_than_the_bounds_allow_and_the_last_started_have_them() {
    let house = house(SpareLimits { total: 3, ..limits() });
    let (first, second) = (house.order(), other(&house.order(), 300 << 20));
    house.launcher.warm(&first);
    until_ready(&house.launcher, 2).await;
    let of_first = children();
    house.launcher.warm(&second);
    until_ready(&house.launcher, 3).await;
    until("one of the first driver's is given up", || children().len() == 3).await;
    assert_eq!(of_first.intersection(&children()).count(), 1);
    for _ in 0..100 {
        assert!(house.launcher.spare_counts().ready <= 3);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    house.launcher.shutdown().await;
}

#[tokio::test]
async fn a_spare_that_is_too_old_is_replaced_and_a_driver_that_nobody_starts_has_none() {
    let house = house(SpareLimits { age_max: Duration::from_millis(500), ..limits() });
    house.launcher.warm(&house.order());
    until_ready(&house.launcher, 2).await;
    let first = children();
    until("others take their place", || {
        house.launcher.warm(&house.order());
        let now = children();
        first.is_disjoint(&now) && house.launcher.spare_counts().ready == 2
    })
    .await;
    until_ready(&house.launcher, 0).await;
    until("they are gone", || children().is_empty()).await;
    assert!(house.launcher.spare_counts().dropped >= 4);
    house.launcher.shutdown().await;
}

#[tokio::test]
async fn a_spare_that_dies_is_replaced() {
    let house = house(limits());
    house.launcher.warm(&house.order());
    until_ready(&house.launcher, 2).await;
    let before = children();
    let dead = before.first().unwrap();
    kill(dead);
    until("another one takes its place", || {
        house.launcher.spare_counts().dropped == 1 && house.launcher.spare_counts().ready == 2
    })
    .await;
    assert!(!children().contains(dead));
    house.launcher.shutdown().await;
}

#[tokio::test]
async fn a_spare_that_dies_between_its_start_and_its_use_is_nobodys_trouble() {
    let house = house(limits());
    house.launcher.warm(&house.order());
    until_ready(&house.launcher, 2).await;
    let driver = house.start().await;
    let spare = driver.pid();
    assert_eq!(house.launcher.spare_counts().used, 1);
    kill(&spare.to_string());
    driver.ended().await;
    let driver = open(driver).await;
    assert_ne!(driver.pid(), spare);
    let mut parts = driver.execute(script("rows 1")).await.unwrap();
    while parts.next().await.unwrap().is_some() {}
    house.launcher.shutdown().await;
}

#[tokio::test]
async fn without_memory_there_are_no_spares_until_there_is_some_again() {
    let folder = Folder::make(owner(), 0o755).unwrap();
    let told = |available: &str| {
        let meminfo = format!("MemTotal: 9000000 kB\nMemAvailable: {available} kB\n");
        folder.add_file("meminfo", owner(), 0o644, &meminfo).unwrap()
    };
    let spares = SpareLimits { available_memory_min_bytes: 1 << 30, meminfo: told("4000000"), ..limits() };
    let house = house(spares);
    house.launcher.warm(&house.order());
    until_ready(&house.launcher, 2).await;
    told("1000000");
    until_ready(&house.launcher, 0).await;
    until("their processes are gone", || children().is_empty()).await;
    works(house.start().await).await;
    assert_eq!(house.launcher.spare_counts().ready, 0, "a start makes none now");
    told("4000000");
    until_ready(&house.launcher, 2).await;
    house.launcher.shutdown().await;
}

#[tokio::test]
async fn a_driver_that_does_not_listen_keeps_no_memory_from_those_who_want_it() {
    let folder = Folder::make(owner(), 0o755).unwrap();
    let told = |available: &str| {
        let meminfo = format!("MemTotal: 9000000 kB\nMemAvailable: {available} kB\n");
        folder.add_file("meminfo", owner(), 0o644, &meminfo).unwrap()
    };
    let spares = SpareLimits { available_memory_min_bytes: 1 << 30, meminfo: told("4000000"), ..limits() };
    let house = house(spares);
    house.launcher.warm(&house.order());
    until_ready(&house.launcher, 2).await;
    let deaf = house.script("deaf", "#!/bin/sh\nwhile read line; do :; done\n");
    let deaf = StartOrder { driver: DriverFile::look_at(&deaf).unwrap(), ..house.order() };
    house.launcher.warm(&deaf);
    until("the third is started", || children().len() == 3).await;
    let begun = Instant::now();
    told("500000");
    until("all are given up", || children().is_empty()).await;
    // It would have had ten seconds to listen.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    house.launcher.shutdown().await;
}

#[tokio::test]
async fn a_driver_whose_file_changed_has_no_spares() {
    let house = house(limits());
    let order = house.order();
    house.launcher.warm(&order);
    until_ready(&house.launcher, 2).await;
    // As an installer does it: the running processes keep the file that they are.
    let folder = house.folder.add_folder("new", owner(), 0o755).unwrap();
    fs::rename(copy_program(&example("test-driver"), &folder).unwrap(), house.driver.path()).unwrap();
    let Err(StartError::Refused(refused)) = house.launcher.start(&order).await else { panic!() };
    assert_eq!(refused.step, Step::OpenDriver);
    until_ready(&house.launcher, 0).await;
    until("their processes are gone", || children().is_empty()).await;
    house.launcher.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_starts_at_once_get_a_driver_each() {
    let house = Arc::new(house(SpareLimits { per_driver: 8, total: 8, ..limits() }));
    house.launcher.warm(&house.order());
    until_ready(&house.launcher, 8).await;
    let mut starts = JoinSet::new();
    for _ in 0..32 {
        let house = Arc::clone(&house);
        starts.spawn(async move {
            let driver = house.start().await;
            let pid = driver.pid();
            works(driver).await;
            pid
        });
    }
    let pids = starts.join_all().await.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(pids.len(), 32, "no process serves two");
    let counts = house.launcher.spare_counts();
    assert_eq!(counts.used + counts.missed, 32);
    assert!(counts.used >= 8, "{counts:?}");
    house.launcher.shutdown().await;
    assert_eq!(children(), BTreeSet::new());
}

#[tokio::test]
async fn shutdown_leaves_no_spare_ready_or_on_its_way() {
    for wait_for in [4, 0, 1] {
        let house = house(limits());
        house.launcher.warm(&house.order());
        house.launcher.warm(&other(&house.order(), 300 << 20));
        until("some are ready", || house.launcher.spare_counts().ready >= wait_for).await;
        house.launcher.shutdown().await;
        assert_eq!(children(), BTreeSet::new());
        assert_eq!(house.launcher.spare_counts().ready, 0);
    }
}

#[tokio::test]
async fn a_launcher_that_is_dropped_leaves_no_spare() {
    let house = house(limits());
    house.launcher.warm(&house.order());
    until_ready(&house.launcher, 2).await;
    drop(house);
    until("they are gone", || children().is_empty()).await;
}

#[tokio::test]
async fn a_cancel_for_a_killed_driver_takes_a_spare() {
    let place = Place::with(launcher(limits()), &PostgresOptions::default());
    place.launcher.warm(&place.order);
    until_ready(&place.launcher, 2).await;
    let driver = place.open_on(Postgres::HOST).await;
    let cancel = driver.detached_cancel().expect("the driver gives a token");
    place.kill_inside(&driver, "select pg_sleep(60)").await;
    let asked = Instant::now();
    place.launcher.cancel_detached(&place.order, cancel).await.unwrap();
    place.wait_until_gone(asked).await;
    let counts = place.launcher.spare_counts();
    assert_eq!((counts.used, counts.missed), (2, 0));
    place.launcher.shutdown().await;
    assert_eq!(children().len(), 1, "the server is left");
}

#[test]
fn killed_core_leaves_no_spare_after_two_seconds() {
    let house = House::new();
    let mut core = Command::new(example("short-lived-core"))
        .args([program("querybox-jail").as_path(), house.driver.path()])
        .args(["2", "4"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(core.stdout.take().unwrap()).lines();
    let told = lines.map(Result::unwrap).take_while(|line| line != "ready").collect::<BTreeSet<_>>();
    assert_eq!(told.len(), 2);
    let started = children_of(core.id());
    assert!(started.len() == 6 && started.is_superset(&told), "two drivers and four spares: {started:?}");
    core.kill().unwrap();
    core.wait().unwrap();
    let killed = Instant::now();
    while started.iter().any(|pid| is_alive(pid)) {
        assert!(killed.elapsed() < Duration::from_secs(2), "drivers live on");
        thread::sleep(Duration::from_millis(10));
    }
}

fn children_of(pid: u32) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let children = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().map(str::to_owned));
    }
    found
}

fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}
