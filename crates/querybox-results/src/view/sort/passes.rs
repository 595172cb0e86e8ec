//! Runs that are too many, or whose batches are too long, to be merged at once: some of them are merged into one before.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    Rows,
    spool::SharedFile,
    view::{
        ViewError,
        sort::{
            merge::{Output, Shares, merge},
            runs::{Run, Sorting},
        },
    },
};

/// Runs that are merged at once, however short their batches are.
const RUNS_MAX: usize = 128;

/// Merges runs. `tell` is called with the rows that are through, and those in all; each counts as often as it is written.
pub(super) fn merge_all(
    sorting: &Sorting<'_>,
    runs: Vec<Run>,
    memory_bytes: usize,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Rows, ViewError> {
    let shares = Shares::of(memory_bytes);
    let mut runs = VecDeque::from(runs);
    let mut done = runs.iter().map(|run| run.rows.row_count()).sum::<u64>();
    let all = done + rows_to_merge(runs.make_contiguous(), shares.reading_bytes);
    let new_file = || Arc::new(SharedFile::new(sorting.rows.spool().budget()));
    // What was merged lies in a file that goes when all of it is merged once more.
    let (mut file, mut left_of_pass) = (new_file(), runs.len());
    loop {
        let count = next_step(&sizes(runs.make_contiguous()), shares.reading_bytes);
        let is_last = count == runs.len();
        let step: Vec<Run> = runs.drain(..count).collect();
        if left_of_pass == 0 {
            (file, left_of_pass) = (new_file(), runs.len() + count);
        }
        left_of_pass = left_of_pass.saturating_sub(count);
        let output = if is_last { Output::View } else { Output::Run(&file) };
        let rows = merge(sorting, &step, output, shares, &mut |merged| tell(done + merged, all))?;
        if is_last {
            return Ok(rows);
        }
        done += step.iter().map(|run| run.rows.row_count()).sum::<u64>();
        runs.push_back(Run { rows, batch_bytes: longest(&sizes(&step)) });
    }
}

/// The rows that all steps take, each as often as it is taken.
fn rows_to_merge(runs: &[Run], reading_bytes: usize) -> u64 {
    let mut runs: VecDeque<(usize, u64)> =
        runs.iter().map(|run| (run.batch_bytes, run.rows.row_count())).collect();
    let mut rows_to_merge = 0;
    loop {
        let sizes: Vec<usize> = runs.iter().map(|(size, _)| *size).collect();
        let count = next_step(&sizes, reading_bytes);
        let rows = runs.drain(..count).map(|(_, rows)| rows).sum::<u64>();
        rows_to_merge += rows;
        if runs.is_empty() {
            return rows_to_merge;
        }
        runs.push_back((longest(&sizes[..count]), rows));
    }
}

fn sizes(runs: &[Run]) -> Vec<usize> {
    runs.iter().map(|run| run.batch_bytes).collect()
}

/// What a run of several has for its longest batch: rows that are long lie alone.
fn longest(sizes: &[usize]) -> usize {
    sizes.iter().copied().max().unwrap_or_default()
}

/// How many of the first runs are merged next, given the longest batch of each: all of them, when a batch of each fits into
/// memory; else so many that all fit behind it, or as many as fit now. Two at least.
fn next_step(sizes: &[usize], reading_bytes: usize) -> usize {
    let fit = |count: usize, bytes: usize| count <= 2 || (count <= RUNS_MAX && bytes <= reading_bytes);
    let (mut taken, mut left) = (0, sizes.iter().sum::<usize>());
    if fit(sizes.len(), left) {
        return sizes.len();
    }
    for (count, size) in (1..).zip(sizes) {
        if !fit(count, taken + size) {
            return count - 1;
        }
        (taken, left) = (taken + size, left - size);
        if count >= 2 && fit(sizes.len() - count + 1, left + longest(&sizes[..count])) {
            return count;
        }
    }
    sizes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps by which runs whose batches are as long become one.
    fn steps(sizes: &[usize], reading_bytes: usize) -> Vec<usize> {
        let (mut sizes, mut steps) = (sizes.to_vec(), Vec::new());
        loop {
            let count = next_step(&sizes, reading_bytes);
            steps.push(count);
            if count == sizes.len() {
                return steps;
            }
            let merged: Vec<usize> = sizes.drain(..count).collect();
            assert!(count == 2 || merged.iter().sum::<usize>() <= reading_bytes, "{merged:?}");
            sizes.push(longest(&merged));
        }
    }

    #[test]
    fn what_fits_is_merged_at_once_and_else_no_more_than_has_to_be() {
        assert_eq!(steps(&[1; 128], 1000), [128]);
        assert_eq!(steps(&[1; 130], 1000), [3, 128]);
        assert_eq!(steps(&[10; 9], 90), [9]);
        assert_eq!(steps(&[10; 12], 90), [4, 9]);
        assert_eq!(steps(&[10; 52], 90), [9, 9, 9, 9, 9, 4, 9]);
        // One run with long rows does not make short work of the others.
        assert_eq!(steps(&[50, 1, 1, 1, 1, 1, 1], 53), [4, 4]);
        assert_eq!(steps(&[1, 1, 1, 1, 1, 1, 50], 53), [4, 4]);
        // Two are merged whatever it takes, and a run alone is written as it is.
        assert_eq!(steps(&[10; 5], 1), [2, 2, 2, 2]);
        assert_eq!(steps(&[10], 1), [1]);
    }
}
