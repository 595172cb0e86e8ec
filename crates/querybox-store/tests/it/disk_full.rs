//! A disk without room: a small file system of its own, mounted by a child.

use std::{fs, process::Command};

use querybox_store::{Connection, Error, Store};

use crate::{
    Site, at, check_integrity,
    children::{can_mount, child_with_own_mounts, not_tested, told},
    settings,
};

/// Runs a child that may mount, or says that this host cannot.
fn run_on_own_disk(test: &str) {
    if !can_mount() {
        return not_tested(test, "neither root nor user namespaces can mount a tmpfs here");
    }
    let site = Site::new();
    let output = child_with_own_mounts(test, site.folder.path(), "").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

/// Mounts half a megabyte over the folder.
fn mount(folder: &std::path::Path) {
    let status =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "none"]).arg(folder).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    run_on_own_disk("disk_full::fill_the_disk_child");
}

#[tokio::test]
#[ignore = "half of a_full_disk_is_named_and_loses_nothing"]
async fn fill_the_disk_child() {
    let (folder, _) = told();
    mount(&folder);
    let path = folder.join("store.db");
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![1; 200 << 10]).unwrap();

    let store = Store::open(&path).await.unwrap();
    let mut acknowledged = Vec::new();
    let refusal = loop {
        match store.create_connection(settings(&format!("c{}", acknowledged.len())), at(0)).await {
            Ok(created) => acknowledged.push(created),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 10_000, "the disk never fills");
    };
    assert!(matches!(refusal, Error::Full), "{refusal:?}");
    assert_eq!(refusal.to_string(), "disk is full");
    assert!(acknowledged.len() > 5);
    // Some notes of uses may be written, and are not what was acknowledged.
    let by_id = |mut found: Vec<Connection>| {
        found.sort_by_key(|connection| connection.id);
        found.iter_mut().for_each(|connection| connection.last_access = None);
        found
    };
    acknowledged = by_id(acknowledged);
    assert_eq!(by_id(store.connections().await.unwrap()), acknowledged);

    // A note is lost, counted, and hurts nobody.
    // There may be room for the first ones.
    for second in 1.. {
        store.touch(acknowledged[0].id, at(second));
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        if store.notes_dropped() > 0 {
            break;
        }
        assert!(second < 10_000, "the disk never fills");
    }

    // With room again, the same store goes on.
    fs::remove_file(&ballast).unwrap();
    acknowledged.push(store.create_connection(settings("with room"), at(0)).await.unwrap());
    acknowledged = by_id(acknowledged);
    store.close().await;
    let store = Store::open(&path).await.unwrap();
    assert_eq!(by_id(store.connections().await.unwrap()), acknowledged);
    store.close().await;
    check_integrity(&rusqlite::Connection::open(&path).unwrap());
}

#[test]
fn opening_on_a_full_disk_is_named() {
    run_on_own_disk("disk_full::open_on_a_full_disk_child");
}

#[tokio::test]
#[ignore = "half of opening_on_a_full_disk_is_named"]
async fn open_on_a_full_disk_child() {
    let (folder, _) = told();
    mount(&folder);
    let path = folder.join("store.db");
    let ballast = folder.join("ballast");
    // Every amount of room, from none to almost enough.
    for pages in 0..20 {
        // Fails when the disk is full, as it should be.
        let _ = fs::write(&ballast, vec![1; 1 << 20]);
        let filled = fs::metadata(&ballast).unwrap().len();
        fs::File::options().write(true).open(&ballast).unwrap().set_len(filled - pages * 4096).unwrap();
        match Store::open(&path).await {
            Ok(store) => store.close().await,
            Err(error) => assert!(matches!(error, Error::Full), "with {pages} pages of room: {error:?}"),
        }
        if pages == 0 {
            assert!(Store::open(&path).await.is_err(), "the disk is not full");
        }
        fs::remove_file(&ballast).unwrap();
        let store = Store::open(&path).await.unwrap();
        store.create_connection(settings("a"), at(0)).await.unwrap();
        store.close().await;
        fs::remove_file(&path).unwrap();
    }
}
