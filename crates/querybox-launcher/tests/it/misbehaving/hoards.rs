//! Two gigabytes by every way, under either keeper of memory, also by a driver that may write files.

use querybox_launcher::MemoryControl;

use crate::{
    groups::groups_work,
    misbehaving::{
        pen::Pen,
        trial::{Call, Outcome, check_in},
    },
};

/// Ways that a data limit and a watch see. In the files of a file system in memory they see what is mapped.
const SEEN: &[&str] = &["allocate", "allocate_slowly", "shared_memory_mapped", "shared_mapping"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_group_ends_a_driver_by_every_way_of_taking_memory() {
    if !groups_work("memory by control groups").await {
        return;
    }
    for wish in SEEN.iter().chain(&["shared_memory"]) {
        let pen = Pen::with(MemoryControl::Groups).grant_a_file();
        check_in(pen, wish, Call::Execute, Outcome::Memory).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_limit_and_watch_end_a_driver_by_what_it_has_mapped() {
    for wish in SEEN {
        let pen = Pen::with(MemoryControl::WatchAlone).grant_a_file();
        check_in(pen, wish, Call::Execute, Outcome::Memory).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_grant_no_file_in_memory_is_to_be_had_under_the_watch_either() {
    for wish in ["shared_memory", "shared_memory_mapped", "temporary_file"] {
        let pen = Pen::with(MemoryControl::WatchAlone);
        check_in(pen, wish, Call::Execute, super::grabs::NO_FILE).await;
    }
    for control in [MemoryControl::WatchAlone, MemoryControl::Groups] {
        let refused = Outcome::Rejected("a memfd was refused: Operation not permitted");
        check_in(Pen::with(control).grant_a_file(), "memfd", Call::Execute, refused).await;
    }
}

/// The twin: what ends the driver is the limit, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_a_higher_limit_the_same_memory_is_to_be_had() {
    let mut pen = Pen::with(MemoryControl::Groups).grant_a_file();
    pen.limits.memory_bytes_max = 4 << 30;
    check_in(pen, "shared_memory", Call::Execute, Outcome::Done).await;
}
