//! How drivers live and end.

use std::time::{Duration, Instant};

use querybox_fixtures::Folder;
use querybox_launcher::{CallError, Cause, DriverFile, Ending, Fact, FileGrant, StartError, Step};
use rustix::process::{Pid, Signal, kill_process};

use crate::house::{House, deadline, limits, open, open_order, owner, script};

/// Runs a script to its failure and answers with the ending of the process.
async fn ending_of(house: &House, sql: &str) -> Ending {
    let driver = house.open().await;
    let mut parts = driver.execute(script(sql)).await.unwrap();
    loop {
        match parts.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("{sql} ended well"),
            Err(CallError::Ended(ending)) => return (*ending).clone(),
            Err(other) => panic!("{sql}: {other:?}"),
        }
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

#[tokio::test]
async fn an_ending_is_told_as_its_cause() {
    let house = House::new();
    assert_eq!(ending_of(&house, "exit 3").await.cause, Cause::Exited(3));
    assert_eq!(ending_of(&house, "abort").await.cause, Cause::Signal(6));
}

#[tokio::test]
async fn memory_beyond_the_limit_is_told_as_such() {
    let house = House::new();
    let Cause::Memory { limit_bytes, reached_bytes } = ending_of(&house, "allocate 600").await.cause else {
        panic!()
    };
    assert_eq!(limit_bytes, 512 << 20);
    assert!(reached_bytes >= 600 << 20);
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_told_as_such() {
    let house = House::new();
    let home = Folder::make(owner(), 0o755).unwrap();
    let file = home.add_file("grow.db", owner(), 0o644, "").unwrap();
    let mut order = house.order();
    order.grant = Some(FileGrant::resolve(&file).unwrap());
    order.limits.file_bytes_max = Some(1 << 20);
    for (bytes, cause) in [(1 << 19, None), (1 << 21, Some(Cause::FileSize { limit_bytes: 1 << 20 }))] {
        let driver = open(house.launcher.start(&order).await.unwrap()).await;
        let sql = format!("write {} {bytes}", file.display());
        let mut parts = driver.execute(script(&sql)).await.unwrap();
        let ended = loop {
            match parts.next().await {
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(CallError::Ended(ending)) => break Some(ending.cause),
                Err(other) => panic!("{other:?}"),
            }
        };
        assert_eq!(ended, cause);
    }
}

#[tokio::test]
async fn megabytes_on_standard_error_block_nothing_and_leave_their_last_lines() {
    let house = House::new();
    let driver = house.open().await;
    let mut parts = driver.execute(script("shout 20")).await.unwrap();
    while let Some(part) = parts.next().await.unwrap() {
        drop(part);
    }
    let tail = driver.close().await.stderr_tail.clone();
    assert!(tail.ends_with("xxx\n\\u{1b}[2Jlast line\n"), "{tail}");
    assert!(tail.len() < 17 * 1024);
}

#[tokio::test]
async fn a_driver_ends_by_itself_when_its_socket_closes() {
    let house = House::new();
    assert_eq!(house.open().await.close().await.cause, Cause::Exited(0));
}

#[tokio::test]
async fn a_driver_that_is_stopped_outlives_its_deadline_by_at_most_one_second() {
    let house = House::new();
    let driver = house.open().await;
    let mut parts = driver.execute(script("wait")).await.unwrap();
    parts.next().await.unwrap();
    kill_process(pid(driver.pid()), Signal::STOP).unwrap();
    driver.set_deadline(deadline(300));
    let begun = Instant::now();
    let Err(CallError::Ended(ending)) = parts.next().await else { panic!() };
    let waited = begun.elapsed();
    assert_eq!(ending.cause, Cause::Deadline(Duration::from_millis(300)));
    assert!(waited < Duration::from_millis(1300), "{waited:?}");
}

#[tokio::test]
async fn a_driver_that_does_not_listen_is_killed_within_a_second_of_its_deadline() {
    let house = House::new();
    let driver = house.open().await;
    let mut parts = driver.execute(script("wait deaf")).await.unwrap();
    parts.next().await.unwrap();
    driver.set_deadline(deadline(200));
    let begun = Instant::now();
    let Err(CallError::Ended(ending)) = parts.next().await else { panic!() };
    assert_eq!(ending.cause, Cause::Deadline(Duration::from_millis(200)));
    assert!(begun.elapsed() < Duration::from_millis(1200));
}

#[tokio::test]
async fn a_driver_that_hangs_in_open_is_killed_at_its_deadline() {
    let house = House::new();
    let mut order = house.order();
    order.deadline = deadline(500);
    let driver = house.launcher.start(&order).await.unwrap();
    let Err(CallError::Ended(ending)) = driver.open(open_order("hang")).await else { panic!() };
    assert_eq!(ending.cause, Cause::Deadline(Duration::from_millis(500)));
}

#[tokio::test]
async fn a_driver_that_obeys_at_its_deadline_lives_on_when_the_deadline_is_taken_away() {
    let house = House::new();
    let driver = house.open().await;
    driver.set_deadline(deadline(200));
    let mut parts = driver.execute(script("wait")).await.unwrap();
    parts.next().await.unwrap();
    let Fact::Rejection(rejection) = parts.next().await.unwrap().unwrap().fact else { panic!() };
    assert_eq!(rejection.message, "interrupted");
    assert_eq!(driver.deadline_passed(), Some(Duration::from_millis(200)));
    driver.set_deadline(None);
    tokio::time::sleep(Duration::from_millis(1000)).await;
    let mut parts = driver.execute(script("rows 1")).await.unwrap();
    assert!(parts.next().await.unwrap().is_some(), "the session goes on");
}

#[tokio::test]
async fn a_driver_killed_from_outside_is_told_by_its_signal() {
    let house = House::new();
    let driver = house.open().await;
    let mut parts = driver.execute(script("wait")).await.unwrap();
    parts.next().await.unwrap();
    kill_process(pid(driver.pid()), Signal::KILL).unwrap();
    let Err(CallError::Ended(ending)) = parts.next().await else { panic!() };
    assert_eq!(ending.cause, Cause::Signal(9));
}

#[tokio::test]
async fn a_file_that_changed_since_it_was_looked_at_is_not_started() {
    let house = House::new();
    let path = house.script("driver.sh", "#!/bin/sh\n");
    let mut order = house.order();
    order.driver = DriverFile::look_at(&path).unwrap();
    std::fs::write(&path, "#!/bin/sh\necho changed\n").unwrap();
    let Err(StartError::Refused(refused)) = house.launcher.start(&order).await else { panic!() };
    assert_eq!(refused.step, Step::OpenDriver);
}

#[tokio::test]
async fn a_jail_that_is_not_there_is_a_failure_of_the_start() {
    let house = House::new();
    let config = querybox_launcher::Config {
        jail: "/nowhere/querybox-jail".into(),
        unprivileged: querybox_launcher::Ids { uid: 65534, gid: 65534 },
        memory: querybox_launcher::MemoryControl::WatchAlone,
        spares: None,
    };
    let launcher = querybox_launcher::Launcher::new(config).unwrap();
    assert!(matches!(launcher.start(&house.order()).await, Err(StartError::Spawn(_))));
    assert_eq!(limits(), house.order().limits);
}
