//! Runs a workload under callgrind, and reads what it found.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use querybox_fixtures::{Folder, ordinary_user};

use crate::{
    table::Count,
    workload::{Name, ROWS},
};

/// What takes memory of the system's allocator.
const ALLOCATING: [&str; 6] = ["malloc", "calloc", "realloc", "memalign", "posix_memalign", "aligned_alloc"];

/// Whether there is a valgrind.
pub(crate) fn is_installed() -> bool {
    let quiet = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet(Command::new("valgrind").arg("--version")).is_ok_and(|status| status.success())
}

/// Counts one workload.
pub(crate) fn count(own: &Path, workload: Name, port: u16) -> anyhow::Result<Count> {
    let folder = Folder::make(ordinary_user(), 0o700)?;
    let found = folder.path().join("found");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
        // From the workload's own loop on, and nothing before.
        .args(["--collect-atstart=no", &format!("--toggle-collect=*{}*", crate::workload::COUNTED)])
        .arg(format!("--callgrind-out-file={}", found.display()))
        .arg(own)
        .args(["run", &workload.to_string(), &port.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("valgrind could not be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{workload} failed: {said}");
    let batches = String::from_utf8_lossy(&output.stdout).trim().parse::<u64>();
    let batches = batches.with_context(|| format!("{workload} does not tell its batches"))?;
    let (instructions, allocations) = read(&fs::read_to_string(&found)?)?;
    ensure!(instructions > 0, "callgrind found nothing of {workload}");
    Ok(Count { instructions: instructions / ROWS, allocations: allocations / batches.max(1) })
}

/// All instructions and all allocations of callgrind's file.
fn read(text: &str) -> anyhow::Result<(u64, u64)> {
    let (mut instructions, mut allocations) = (None, 0);
    let mut is_allocating = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("cfn=") {
            // A function that calls itself has its depth behind its name.
            let name = name.split('\'').next().unwrap_or_default();
            is_allocating = ALLOCATING.contains(&name);
        } else if let Some(calls) = line.strip_prefix("calls=").filter(|_| is_allocating) {
            let count = calls.split(' ').next().unwrap_or_default();
            allocations += count.parse::<u64>().context("a count of calls is a number")?;
        } else if let Some(total) = line.strip_prefix("totals: ") {
            instructions = total.trim().parse::<u64>().ok();
        }
    }
    Ok((instructions.context("callgrind tells no total")?, allocations))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_and_allocations_are_read() {
        let text = "fn=work\n0 12\ncfi=malloc.c\ncfn=malloc\ncalls=3 0\n0 90\ncfn=memcpy\ncalls=5 0\n0 7\n\
                    cfn=realloc'2\ncalls=2 0\n0 1\n\ntotals: 110\n";
        assert_eq!(read(text).unwrap(), (110, 5));
        assert!(read("fn=work\n").is_err());
    }
}
