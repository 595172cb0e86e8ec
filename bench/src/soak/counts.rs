//! What a process holds, and what it left around itself.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use crate::process::children;

/// Memory that an allocator may keep of what was freed, and statistics of tasks may grow to: 10,000 drivers that leaked a
/// kilobyte each would be ten megabytes.
pub(super) const RSS_SLACK_BYTES: u64 = 8 << 20;

/// What is looked at between two turns may still be on its way out: a socket's task, a thread of the pool.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// A look at this process. None of it may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    /// Children that were not waited for, zombies among them.
    pub(super) children: usize,
    pub(super) descriptors: usize,
    pub(super) threads: usize,
    /// Files and folders in the soak's own folder, and of QueryBox in the folder for temporary files.
    pub(super) files: usize,
    /// Mounts that this process sees.
    pub(super) mounts: usize,
    /// Control groups named for this process.
    pub(super) control_groups: usize,
    pub(super) rss_bytes: u64,
}

impl Counts {
    /// Looks now.
    pub(super) fn look(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            children: children()?.len(),
            // The descriptor that reads the folder is one of them.
            descriptors: entries(Path::new("/proc/self/fd"))?.len() - 1,
            threads: entries(Path::new("/proc/self/task"))?.len(),
            files: below(folder) + temporary()?,
            mounts: read("/proc/self/mountinfo")?.lines().count(),
            control_groups: control_groups(),
            rss_bytes: rss_bytes()?,
        })
    }

    /// Looks until nothing is more than it was `before`, or it has had time enough.
    pub(super) async fn settle(folder: &Path, before: &Self) -> anyhow::Result<Self> {
        let end = Instant::now() + SETTLES_WITHIN;
        loop {
            let now = Self::look(folder)?;
            if before.growth(&now).is_empty() || Instant::now() > end {
                return Ok(now);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// What is more than it was, a sentence each.
    pub(super) fn growth(&self, later: &Self) -> Vec<String> {
        let counted = [
            ("children", self.children, later.children),
            ("descriptors", self.descriptors, later.descriptors),
            ("threads", self.threads, later.threads),
            ("files and folders", self.files, later.files),
            ("mounts", self.mounts, later.mounts),
            ("control groups", self.control_groups, later.control_groups),
        ];
        let mut growth: Vec<String> = counted
            .into_iter()
            .filter(|(_, before, after)| after > before)
            .map(|(what, before, after)| format!("{before} {what} before, {after} after"))
            .collect();
        if later.rss_bytes > self.rss_bytes + RSS_SLACK_BYTES {
            let [before, after, slack] =
                [self.rss_bytes, later.rss_bytes, RSS_SLACK_BYTES].map(|bytes| bytes >> 20);
            growth.push(format!("{before} MiB resident before, {after} MiB after (slack {slack} MiB)"));
        }
        growth
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { children, descriptors, threads, files, mounts, control_groups, rss_bytes } = self;
        let mib = *rss_bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "{children} children, {descriptors} descriptors, {threads} threads, {files} files and folders, \
             {mounts} mounts, {control_groups} control groups, {mib:.1} MiB resident"
        )
    }
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    Ok(listed.filter_map(|entry| Some(entry.ok()?.path())).collect())
}

/// Everything below a folder. What cannot be listed any more is gone.
fn below(folder: &Path) -> usize {
    let is_folder = |path: &PathBuf| path.is_dir() && !path.is_symlink();
    let inside = entries(folder).unwrap_or_default();
    inside.len() + inside.iter().filter(|path| is_folder(path)).map(|path| below(path)).sum::<usize>()
}

/// What QueryBox left where temporary files go. Folders of tests that run beside this soak are theirs.
fn temporary() -> anyhow::Result<usize> {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.contains("querybox") && !name.starts_with("querybox-test-")
    };
    Ok(entries(&std::env::temp_dir())?.iter().filter(|path| is_ours(path)).count())
}

/// A launcher names its groups for its process; groups of others come and go meanwhile.
fn control_groups() -> usize {
    let mine = format!("querybox-{}-", std::process::id());
    fn count(folder: &Path, mine: &str, is_mine: bool) -> usize {
        let inside = entries(folder)
            .unwrap_or_default()
            .into_iter()
            .filter(|path| path.is_dir() && !path.is_symlink());
        inside
            .map(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let is_mine = is_mine || name.starts_with(mine);
                usize::from(is_mine) + count(&path, mine, is_mine)
            })
            .sum()
    }
    count(Path::new("/sys/fs/cgroup"), &mine, false)
}

fn rss_bytes() -> anyhow::Result<u64> {
    let status = read("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the kernel tells no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

fn read(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: Counts = Counts {
        children: 0,
        descriptors: 10,
        threads: 4,
        files: 3,
        mounts: 20,
        control_groups: 1,
        rss_bytes: 30 << 20,
    };

    #[test]
    fn whatever_grows_is_named() {
        let later = Counts { children: 1, control_groups: 2, rss_bytes: 39 << 20, ..FEW };
        assert_eq!(
            FEW.growth(&later),
            [
                "0 children before, 1 after",
                "1 control groups before, 2 after",
                "30 MiB resident before, 39 MiB after (slack 8 MiB)"
            ]
        );
    }

    #[test]
    fn what_shrinks_or_stays_within_its_slack_is_fine() {
        assert_eq!(FEW.growth(&Counts { descriptors: 9, rss_bytes: 38 << 20, ..FEW }), [""; 0]);
    }

    #[test]
    fn a_child_a_descriptor_and_a_file_are_seen() {
        let folder = querybox_fixtures::Folder::make(crate::programs::owner(), 0o700).unwrap();
        let before = Counts::look(folder.path()).unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        fs::write(folder.path().join("left"), "").unwrap();
        let _open = fs::File::open(folder.path().join("left")).unwrap();
        let after = Counts::look(folder.path()).unwrap();
        child.kill().unwrap();
        let growth = before.growth(&after).join("\n");
        child.wait().unwrap();
        for what in ["children", "descriptors", "files"] {
            assert!(growth.contains(what), "{what}: {growth}");
        }
    }
}
