//! Control groups as the tests see them.

use std::{env, fs, path::PathBuf};

use querybox_launcher::MemoryKeeper;

use crate::house::House;

/// Whether drivers get control groups here. If not, it says so; where the machine promises them by this variable, that
/// fails.
#[expect(clippy::print_stderr, reason = "a test that does not run must be seen")]
pub(crate) async fn groups_work(test: &str) -> bool {
    let house = House::new();
    let keeper = house.start().await.memory_keeper();
    house.launcher.shutdown().await;
    if keeper != MemoryKeeper::Watch {
        return true;
    }
    assert!(
        env::var_os("QUERYBOX_TEST_CGROUPS").is_none(),
        "{test} needs control groups, which are promised"
    );
    eprintln!("NOT RUN: {test} needs control groups");
    false
}

/// The group that a launcher made for a process. None: it has none.
pub(crate) fn group_of(pid: u32) -> Option<PathBuf> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = groups.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        (controllers.contains("memory") || controllers.is_empty()).then_some(path)
    })?;
    let path = path.trim_start_matches('/');
    if !path.contains("/querybox-") {
        return None;
    }
    ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"]
        .into_iter()
        .map(|tree| PathBuf::from(tree).join(path))
        .find(|path| path.exists())
}

/// The folders of groups that processes with this number made, and that are still there, beside `group`.
pub(crate) fn folders_of(pid: u32, group: &std::path::Path) -> Vec<PathBuf> {
    let place = group.parent().and_then(|folder| folder.parent()).unwrap();
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    let name = format!("/querybox-{pid}-");
    entries.filter(|path| path.to_string_lossy().contains(&name)).collect()
}
