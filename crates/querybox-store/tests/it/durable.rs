//! What was answered is on disk before the answer; notes do not cost a sync.

use std::fs;

use querybox_store::Store;

use crate::{
    Site, at,
    children::{can_trace, child_with_syncs_logged, not_tested, told},
    settings,
};

const WRITES: usize = 20;

/// How often a child synced that did one thing many times.
fn syncs_of(what: &str) -> usize {
    let site = Site::new();
    let log = site.folder.path().join("syncs");
    let output = child_with_syncs_logged("durable::write_child", &site.path(), what, &log).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    fs::read_to_string(log).unwrap().lines().filter(|line| line.contains("sync(")).count()
}

#[test]
fn each_answered_write_is_synced_and_no_note_is() {
    if !can_trace() {
        return not_tested("each_answered_write_is_synced_and_no_note_is", "strace cannot trace here");
    }
    // What opening, one write and closing cost.
    let base = syncs_of("nothing");
    let (creates, touches) = (syncs_of("create"), syncs_of("touch"));
    assert!(creates >= base + WRITES, "{base} syncs grew to {creates} by {WRITES} writes");
    assert!(touches <= base + 2, "{base} syncs grew to {touches} by {WRITES} notes");
}

#[tokio::test]
#[ignore = "half of each_answered_write_is_synced_and_no_note_is"]
async fn write_child() {
    let (path, what) = told();
    let store = Store::open(&path).await.unwrap();
    let first = store.create_connection(settings("first"), at(0)).await.unwrap();
    for number in 0..WRITES as i64 {
        match what.as_str() {
            "create" => {
                store.create_connection(settings(&format!("c{number}")), at(0)).await.unwrap();
            }
            "touch" => store.touch(first.id, at(number)),
            _ => {}
        }
    }
    store.close().await;
}
