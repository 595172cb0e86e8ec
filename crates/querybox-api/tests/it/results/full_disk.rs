//! A disk without room, as whoever asks for results sees it: a small file system of its own, mounted by a child.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use querybox_contracts::core::v1::{
    self as pb, export_order::Format, export_response::Part, statement_result::End, view_kind::Kind,
};
use tonic_types::StatusExt as _;

use super::{ENDLESS, ended, forget, nothing_runs, numbers, ran, read, run, window};
use crate::house::{House, limits};

const FOLDER: &str = "QUERYBOX_API_TEST_FOLDER";

/// Root needs no user namespace, and some hosts refuse one even to root.
fn unshare() -> Option<Command> {
    let ways: [&[&str]; 2] = [&["--mount", "--"], &["--user", "--map-root-user", "--mount", "--"]];
    let can_mount = |way: &&[&str]| {
        let mount = ["mount", "-t", "tmpfs", "none", "/mnt"];
        let status = Command::new("unshare").args(*way).args(mount).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let way = ways.into_iter().find(can_mount)?;
    let mut command = Command::new("unshare");
    command.args(way);
    Some(command)
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost_that_was_kept() {
    let Some(mut command) = unshare() else {
        assert!(env::var_os("CI").is_none(), "CI promises a host that mounts");
        eprintln!("NOT TESTED: a_full_disk: neither root nor user namespaces can mount a tmpfs here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let child = command
        .arg(env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "--test-threads=1",
            "results::full_disk::fill_the_disk_child",
        ])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    let complained = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && told.contains("1 passed"), "{told}{complained}");
}

#[tokio::test]
#[ignore = "half of a_full_disk_is_told_and_nothing_is_lost_that_was_kept"]
async fn fill_the_disk_child() {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("this is half of another test, which starts it"));
    let mount = ["-t", "tmpfs", "-o", "size=4m", "none"];
    assert!(Command::new("mount").args(mount).arg(&folder).status().unwrap().success());
    let house = House::keeping(limits(), move |mut results| {
        results.folder = folder;
        results.limits.result_memory_bytes = 0;
        // More than is free, so that no other limit comes first.
        results.limits.free_disk_percent = 200;
        results
    })
    .await;
    let before = ran(&house, &numbers(1_000)).await;

    let full = ended(&house, &run(&house, ENDLESS).await.result.unwrap().result_id).await;
    assert_eq!(full.state(), pb::ResultState::Limited, "{full:?}");
    let statement = &full.statements[0];
    let limit = pb::KeepLimit { kind: pb::KeepLimitKind::DiskFull.into(), value: 0 };
    assert_eq!(statement.end, Some(End::Limit(limit)));
    nothing_runs(&house).await;

    // The rows that came are there, to the last, and so is what was kept before.
    let last = statement.row_count - 1;
    assert!(statement.row_count > 10_000, "{statement:?}");
    for row in [0, statement.row_count / 2, last] {
        assert_eq!(
            read(&house, window(&full.result_id, row, 1)).await.unwrap().texts,
            [(row + 1).to_string()]
        );
    }
    assert_eq!(read(&house, window(&before.result_id, 999, 1)).await.unwrap().texts, ["1000", "row 1000"]);
    let order = pb::ExportOrder {
        result_id: full.result_id.clone(),
        format: Some(Format::Csv(pb::CsvFormat::default())),
        ..pb::ExportOrder::default()
    };
    let mut parts =
        house.results().export(pb::ExportRequest { order: Some(order) }).await.unwrap().into_inner();
    let mut rows = None;
    while let Some(part) = parts.message().await.unwrap() {
        if let Some(Part::Done(done)) = part.part {
            rows = Some(done.rows);
        }
    }
    assert_eq!(rows, Some(statement.row_count));

    // A view has no room, and says which limit it met.
    let by_number =
        pb::Sort { columns: vec![pb::SortColumn { descending: true, ..pb::SortColumn::default() }] };
    let sort = pb::MakeViewRequest {
        result_id: full.result_id.clone(),
        kind: Some(pb::ViewKind { kind: Some(Kind::Sort(by_number)) }),
        ..pb::MakeViewRequest::default()
    };
    let reason = match house.results().make_view(sort).await {
        Err(status) => status.get_details_error_info().unwrap().reason,
        Ok(made) => {
            let view = made.into_inner().view.unwrap().view;
            let id = full.result_id.clone();
            super::until(&house, &id, |result| {
                let views = &result.statements[0].views;
                views.iter().any(|one| one.view == view && one.state() == pb::ViewState::Failed)
            })
            .await
            .statements[0]
                .views
                .iter()
                .find_map(|one| (one.view == view).then(|| one.failure.clone().unwrap().reason))
                .unwrap()
        }
    };
    assert_eq!(reason, "RESULT_LIMIT");

    // What is dropped makes room for what comes.
    forget(&house, &full.result_id).await.unwrap();
    assert_eq!(ran(&house, &numbers(20_000)).await.state(), pb::ResultState::Done);
}
