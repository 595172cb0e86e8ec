//! Asking files what they are.

use std::{sync::Arc, time::Instant};

use futures::future::join_all;
use querybox_launcher::{Cause, Config, Ids, Launcher, MemoryControl, ProbeError};

use crate::house::{House, launcher};

#[tokio::test]
async fn a_driver_says_what_it_is_once_for_each_state_of_its_file() {
    let house = House::new();
    let path = house.driver.path();
    let first = house.launcher.probe(path).await.unwrap();
    assert_eq!((first.info.driver_type.as_str(), first.wire.name.as_str()), ("test", "Test"));
    let second = house.launcher.probe(path).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second), "asked once");
    let copy = std::fs::read(path).unwrap();
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, copy).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let third = house.launcher.probe(path).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &third), "another file, asked anew");
}

#[tokio::test]
async fn what_a_driver_said_is_known_to_the_next_program_until_its_file_changes() {
    let house = House::new();
    let path = house.driver.path();
    let place = tempfile::tempdir().unwrap();
    let keeping = |launcher: Launcher| launcher.keeping_answers(place.path().join("drivers.json"));
    // A launcher that can start nothing.
    let knows = || {
        let unprivileged = Ids { uid: 65534, gid: 65534 };
        let jail = place.path().join("no-jail");
        let config = Config { jail, unprivileged, memory: MemoryControl::WatchAlone, spares: None };
        keeping(Launcher::new(config).unwrap())
    };
    knows().probe(path).await.unwrap_err();
    let first = keeping(launcher()).probe(path).await.unwrap();
    let next = knows().probe(path).await.unwrap();
    assert_eq!(next, first, "without asking");

    let mut content = std::fs::read(path).unwrap();
    content.push(0);
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let error = knows().probe(path).await.unwrap_err();
    assert!(matches!(&*error, ProbeError::Start(_)), "{error:?}");
}

#[tokio::test]
async fn many_who_ask_at_once_share_one_answer() {
    let house = House::new();
    let path = house.driver.path();
    let asked = join_all((0..40).map(|_| house.launcher.probe(path))).await;
    let first = asked[0].as_ref().unwrap();
    assert!(asked.iter().all(|one| Arc::ptr_eq(one.as_ref().unwrap(), first)), "asked once");
    // So it is with a failure; but whoever asks afterwards has the file run again.
    let path = house.script("fails", "#!/bin/sh\nexit 7\n");
    let asked = join_all((0..40).map(|_| house.launcher.probe(&path))).await;
    let first = asked[0].as_ref().unwrap_err();
    assert!(asked.iter().all(|one| Arc::ptr_eq(one.as_ref().unwrap_err(), first)), "asked once");
    assert!(!Arc::ptr_eq(&house.launcher.probe(&path).await.unwrap_err(), first));
}

#[tokio::test]
async fn each_way_of_being_no_driver_is_told() {
    let house = House::new();
    let probe = async |name: &str, text: &str| {
        let path = house.script(name, text);
        house.launcher.probe(&path).await.unwrap_err()
    };

    let error = probe("garbage", "#!/bin/sh\necho 'hello, I am no driver'\n").await;
    assert!(
        matches!(&*error, ProbeError::Garbage { beginning, .. } if beginning.starts_with("hello")),
        "{error:?}"
    );

    let error = probe("silent", "#!/bin/sh\nexit 0\n").await;
    assert!(matches!(&*error, ProbeError::Garbage { .. }), "{error:?}");

    let error = probe("fails", "#!/bin/sh\necho 'no libdb.so' >&2\nexit 7\n").await;
    let ProbeError::Ended(ending) = &*error else { panic!("{error:?}") };
    assert_eq!((ending.cause, ending.stderr_tail.as_str()), (Cause::Exited(7), "no libdb.so\n"));

    let error =
        probe("endless", "#!/bin/sh\nwhile :; do echo 0123456789012345678901234567890123456789; done\n")
            .await;
    assert!(
        matches!(&*error, ProbeError::Garbage { reason, .. } if reason.contains("longer than")),
        "{error:?}"
    );

    let error = probe("future", "#!/bin/sh\necho '{\"contractVersion\": 2}'\n").await;
    assert!(matches!(&*error, ProbeError::UnsupportedContract { found: 2 }), "{error:?}");

    let error = probe("nameless", "#!/bin/sh\necho '{\"contractVersion\": 1}'\n").await;
    assert!(
        matches!(&*error, ProbeError::Invalid(fault) if fault.to_string() == "the name is empty"),
        "{error:?}"
    );

    let error = probe("no-interpreter", "#!/nowhere/sh\n").await;
    assert!(matches!(&*error, ProbeError::NotExecutable { .. }), "{error:?}");

    let error = probe("text", "just text\n").await;
    assert!(matches!(&*error, ProbeError::NotExecutable { .. }), "{error:?}");

    let error = house.launcher.probe(&house.folder.path().join("absent")).await.unwrap_err();
    assert!(matches!(&*error, ProbeError::NotExecutable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_driver_that_hangs_at_info_is_given_up_after_two_seconds() {
    let house = House::new();
    let path = house.script("hangs", "#!/bin/sh\nwhile :; do :; done\n");
    let begun = Instant::now();
    let error = house.launcher.probe(&path).await.unwrap_err();
    assert!(matches!(*error, ProbeError::Hung { .. }), "{error:?}");
    // With room for a machine that is busy.
    assert!((2..10).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_driver_at_info_has_no_socket_and_an_environment_of_two_names() {
    let house = House::new();
    let path = house.script("tells", "#!/bin/sh\nset\nread line || echo nothing-to-read\n");
    let ProbeError::Garbage { .. } = &*house.launcher.probe(&path).await.unwrap_err() else { panic!() };
    let path = house.script("names", "#!/bin/sh\necho \"$QUERYBOX_SOCKET,$LANG,$HOME,$PATH\"\n");
    let error = house.launcher.probe(&path).await.unwrap_err();
    let ProbeError::Garbage { beginning, .. } = &*error else { panic!() };
    assert_eq!(beginning, ",C.UTF-8,,/usr/bin:/bin\n");
}
