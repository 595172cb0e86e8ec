//! What the server's process holds, looked at from outside while it works and while it rests.

use std::{
    fmt, fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::Pid;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::statistics::Distribution;

/// Looks of one soak: enough for a curve.
const LOOKS: u32 = 400;
/// Who rests has let go of what it used within this: sessions end, connections are closed, spares are there again.
const RESTS_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks in a row that are alike, before a server counts as resting.
const ALIKE: usize = 8;
/// What comes before this part of the time is the warm-up: allocators keep what they have once had.
const WARM_UP: f64 = 0.25;
/// What an allocator may keep between its pieces, and a tenth of what is there.
const MEMORY_SLACK_BYTES: f64 = 24.0 * 1048576.0;

/// One look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    /// Since the crowd came.
    pub(super) at: Duration,
    pub(super) rss_bytes: u64,
    pub(super) descriptors: u64,
    /// Drivers, spares among them.
    pub(super) children: u64,
    pub(super) threads: u64,
    /// Visits that were over.
    pub(super) visits: u64,
}

impl Look {
    fn of(server: Pid, at: Duration, visits: u64) -> anyhow::Result<Self> {
        let folder = format!("/proc/{}", server.as_raw_nonzero());
        let status = fs::read_to_string(format!("{folder}/status")).context("the server is gone")?;
        let field = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let mut children = 0;
        for task in fs::read_dir(format!("{folder}/task"))? {
            // A thread may have ended since; then its children are another's.
            let listed = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
            children += listed.split_whitespace().count() as u64;
        }
        Ok(Self {
            at,
            rss_bytes: field("VmRSS").context("no memory is told")? << 10,
            descriptors: fs::read_dir(format!("{folder}/fd"))?.count() as u64,
            children,
            threads: field("Threads").context("no threads are told")?,
            visits,
        })
    }

    /// What was more at the end than at the beginning, with nobody there at either time. Threads of a pool come and go.
    pub(super) fn left_behind(&self, after: &Self) -> Vec<String> {
        [("descriptors", self.descriptors, after.descriptors), ("drivers", self.children, after.children)]
            .into_iter()
            .filter(|(_, before, after)| after > before)
            .map(|(what, before, after)| format!("at rest: {before} {what} before, {after} after"))
            .collect()
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rss_bytes, descriptors, children, threads, .. } = self;
        let memory = *rss_bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "{memory:.1} MiB resident, {descriptors} descriptors, {children} drivers, {threads} threads"
        )
    }
}

/// Waits until the server rests: until it holds no more than it did `before`, or, the first time, until nothing changes.
pub(super) async fn at_rest(server: Pid, before: Option<&Look>) -> anyhow::Result<Look> {
    let begun = Instant::now();
    let mut alike = 0;
    let mut last = Look::of(server, Duration::ZERO, 0)?;
    while begun.elapsed() < RESTS_WITHIN {
        sleep(LOOK_EVERY).await;
        let now = Look::of(server, Duration::ZERO, 0)?;
        let held = |look: &Look| (look.descriptors, look.children);
        alike = if held(&now) == held(&last) { alike + 1 } else { 0 };
        last = now;
        if alike >= ALIKE && before.is_none_or(|before| before.left_behind(&last).is_empty()) {
            break;
        }
    }
    Ok(last)
}

/// Looks at the server again and again until it is ended.
pub(super) struct Watch {
    task: JoinSet<anyhow::Result<Vec<Look>>>,
    end: Arc<Notify>,
}

impl Watch {
    pub(super) fn begin(server: Pid, visits: Arc<AtomicU64>, time: Duration) -> Self {
        let end = Arc::new(Notify::new());
        let ended = Arc::clone(&end);
        let looking = async move {
            let begun = Instant::now();
            let mut looks = Vec::new();
            loop {
                looks.push(Look::of(server, begun.elapsed(), visits.load(Ordering::Relaxed))?);
                tokio::select! {
                    () = sleep(time / LOOKS) => {}
                    () = ended.notified() => return Ok(looks),
                }
            }
        };
        let mut task = JoinSet::new();
        task.spawn(looking);
        Self { task, end }
    }

    pub(super) async fn end(mut self) -> anyhow::Result<Vec<Look>> {
        self.end.notify_one();
        self.task.join_next().await.context("there is one")?.context("the watch broke")?
    }
}

/// A figure of a look.
type Of = fn(&Look) -> u64;

/// What grew from the first third after the warm-up to the last third, by medians: a crowd comes in waves.
pub(super) fn growth(looks: &[Look]) -> Vec<String> {
    let after_warm_up = &looks[(looks.len() as f64 * WARM_UP) as usize..];
    let third = after_warm_up.len() / 3;
    let (early, late) = (&after_warm_up[..third], &after_warm_up[after_warm_up.len() - third..]);
    let median = |looks: &[Look], of: Of| {
        Distribution::of(looks.iter().map(|look| of(look) as f64)).map(|shape| shape.median)
    };
    let mut growth = Vec::new();
    let measured: [(&str, Of, f64); 2] = [
        ("bytes of memory", |look| look.rss_bytes, MEMORY_SLACK_BYTES),
        // The house is as full in the end as in the beginning, more or less.
        ("descriptors", |look| look.descriptors, 100.0),
    ];
    for (what, of, slack) in measured {
        if let (Some(early), Some(late)) = (median(early, of), median(late, of))
            && late > early * 1.1 + slack
        {
            growth.push(format!("{what} grew from {early:.0} to {late:.0} on the way"));
        }
    }
    growth
}

/// The least and the most of all looks.
pub(super) fn span(looks: &[Look]) -> String {
    let span = |of: Of| {
        let values = looks.iter().map(of);
        (values.clone().min().unwrap_or_default(), values.max().unwrap_or_default())
    };
    let (memory, descriptors, children) =
        (span(|look| look.rss_bytes >> 20), span(|look| look.descriptors), span(|look| look.children));
    format!(
        "{} to {} MiB resident, {} to {} descriptors, {} to {} drivers",
        memory.0, memory.1, descriptors.0, descriptors.1, children.0, children.1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(rss_mebibytes: u64, descriptors: u64) -> Look {
        Look {
            at: Duration::ZERO,
            rss_bytes: rss_mebibytes << 20,
            descriptors,
            children: 2,
            threads: 5,
            visits: 0,
        }
    }

    #[test]
    fn what_goes_on_growing_is_named_and_waves_are_not() {
        let rising: Vec<Look> = (0..100).map(|step| look(50 + step, 100)).collect();
        assert!(growth(&rising)[0].starts_with("bytes of memory grew"), "{:?}", growth(&rising));
        let waves: Vec<Look> = (0..100).map(|step| look(50 + step % 20, 100 + step % 30)).collect();
        assert_eq!(growth(&waves), Vec::<String>::new());
        let leaking: Vec<Look> = (0..100).map(|step| look(50, 100 + 10 * step)).collect();
        assert!(growth(&leaking)[0].starts_with("descriptors grew"));
    }

    #[test]
    fn what_is_left_at_rest_is_named() {
        assert_eq!(look(50, 10).left_behind(&look(90, 10)), Vec::<String>::new());
        assert_eq!(look(50, 10).left_behind(&look(50, 12)), ["at rest: 10 descriptors before, 12 after"]);
    }
}
