//! Where and when figures were taken: without it they say nothing.

use std::{fmt, fs, process::Command, thread};

use serde::{Deserialize, Serialize};

/// The machine, the build, the moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    pub cores: usize,
    pub processor: String,
    pub memory_bytes: u64,
    pub kernel: String,
    /// What else ran: the load of the last minute when the bench began.
    pub load: String,
    pub rustc: String,
    /// With `+` when the tree had changes that were not committed.
    pub commit: String,
    pub profile: String,
    pub date: String,
}

impl Machine {
    /// Looks around. What cannot be found out is told as unknown.
    #[must_use]
    pub fn look() -> Self {
        let changes = run("git", &["status", "--porcelain", "--untracked-files=no"]);
        let changed = if changes.is_some_and(|changes| !changes.is_empty()) { "+" } else { "" };
        let commit = run("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(unknown);
        let load = read("/proc/loadavg").and_then(|text| text.split(' ').next().map(str::to_owned));
        Self {
            cores: thread::available_parallelism().map_or(0, Into::into),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            memory_bytes: field("/proc/meminfo", "MemTotal").and_then(kibibytes).unwrap_or_default(),
            kernel: read("/proc/sys/kernel/osrelease").unwrap_or_else(unknown),
            load: load.unwrap_or_else(unknown),
            rustc: run("rustc", &["--version"]).unwrap_or_else(unknown),
            commit: format!("{commit}{changed}"),
            profile: if cfg!(debug_assertions) { "dev" } else { "release" }.to_owned(),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gib = self.memory_bytes.div_ceil(1 << 30);
        let Self { cores, processor, kernel, load, rustc, commit, profile, date, .. } = self;
        writeln!(f, "{date}, commit {commit}, {profile} profile, {rustc}")?;
        write!(f, "{cores} × {processor}, {gib} GiB, Linux {kernel}, load {load} at the start")
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// The first line of `name: value`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = read(path)?;
    let value = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?.1;
    Some(value.trim().to_owned())
}

fn kibibytes(text: String) -> Option<u64> {
    text.strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
