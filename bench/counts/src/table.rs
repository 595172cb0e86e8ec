//! The counts that are kept: a line a workload, and what they were counted with.

use std::{fmt, fs, path::Path, process::Command};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum as _;

use crate::workload::Name;

const HEAD: &str = "# What the hot loops take, counted by callgrind: `cargo xtask bench counts --save` writes this file.\n\
                    # workload, instructions a row, allocations a batch\n";
/// The line that tells what was counted with.
const TOOLCHAIN: &str = "toolchain ";
/// More than this much beside the table is a fault.
const SLACK: f64 = 1.05;

/// What was compiled with, for what: other ones count otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toolchain(String);

/// What one workload takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    /// A row.
    pub(crate) instructions: u64,
    /// A batch.
    pub(crate) allocations: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) toolchain: Toolchain,
    counts: Vec<(Name, Count)>,
}

impl Toolchain {
    pub(crate) fn look() -> anyhow::Result<Self> {
        let output = Command::new("rustc").arg("--version").output().context("rustc could not be started")?;
        ensure!(output.status.success(), "rustc does not tell its version");
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Self(format!("{version}, {}", std::env::consts::ARCH)))
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Count {
    /// For people, beside what is kept.
    pub(crate) fn line(self, workload: Name, kept: Option<Self>) -> String {
        let Self { instructions, allocations } = self;
        let name = workload.to_string();
        let beside = kept.map_or_else(String::new, |kept| {
            let change = (instructions as f64 / kept.instructions.max(1) as f64 - 1.0) * 100.0;
            format!("  ({change:+.1} %, {} allocations kept)", kept.allocations)
        });
        format!("{name:12} {instructions:6} instructions a row, {allocations:4} allocations a batch{beside}")
    }

    fn exceeds(self, kept: Self) -> bool {
        let more = |now: u64, kept: u64| now as f64 > kept as f64 * SLACK;
        // Less than one more is a matter of how rows fall into batches.
        more(self.instructions, kept.instructions) || more(self.allocations, kept.allocations + 1)
    }
}

impl Table {
    pub(crate) fn of(toolchain: Toolchain) -> Self {
        Self { toolchain, counts: Vec::new() }
    }

    pub(crate) fn add(&mut self, workload: Name, count: Count) {
        self.counts.push((workload, count));
    }

    pub(crate) fn get(&self, workload: Name) -> Option<Count> {
        self.counts.iter().find(|(name, _)| *name == workload).map(|(_, count)| *count)
    }

    /// What takes more than the kept table allows; less is no fault.
    pub(crate) fn faults(&self, kept: &Self) -> Vec<String> {
        let mut faults = Vec::new();
        for &(workload, found) in &self.counts {
            match kept.get(workload) {
                Some(kept) if found.exceeds(kept) => faults.push(format!(
                    "{workload} takes more than 5 % above its counts. If that is worth it: cargo xtask bench counts --save"
                )),
                Some(_) => {}
                None => faults.push(format!("{workload} is not in the table: cargo xtask bench counts --save")),
            }
        }
        faults
    }

    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no table of counts", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut table = None;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(toolchain) = line.strip_prefix(TOOLCHAIN) {
                table = Some(Self::of(Toolchain(toolchain.to_owned())));
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, instructions, allocations] = words[..] else { bail!("{line:?} has not three words") };
            // A workload that there is no more.
            let Ok(name) = Name::from_str(name, false) else { continue };
            let count = Count { instructions: instructions.parse()?, allocations: allocations.parse()? };
            table.as_mut().context("the toolchain comes first")?.add(name, count);
        }
        table.context("it does not tell its toolchain")
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        fs::write(path, self.to_string()).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}{TOOLCHAIN}{}", self.toolchain)?;
        for (name, Count { instructions, allocations }) in &self.counts {
            writeln!(f, "{:12} {instructions:6} {allocations:5}", name.to_string())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(instructions: u64, allocations: u64) -> Table {
        let mut table = Table::of(Toolchain("rustc 1".to_owned()));
        table.add(Name::Sink, Count { instructions, allocations });
        table
    }

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let written = table(1000, 20);
        let read = Table::parse(&written.to_string()).unwrap();
        assert_eq!((read.toolchain, read.counts), (written.toolchain, written.counts));
        assert!(Table::parse("sink 1 2\n").is_err());
    }

    #[test]
    fn more_than_a_twentieth_above_is_a_fault_and_less_is_none() {
        let faults =
            |instructions, allocations| table(instructions, allocations).faults(&table(1000, 20)).len();
        assert_eq!([faults(1050, 22), faults(1051, 20), faults(1000, 23), faults(1, 1)], [0, 1, 1, 0]);
        assert_eq!(table(1, 1).faults(&Table::of(Toolchain(String::new()))).len(), 1);
    }
}
