//! A distribution as one line of text.

/// Eight heights, and nothing for nothing.
const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Counts in buckets of equal width on a logarithmic scale: latencies have a long tail.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Where the first bucket begins and the last one ends.
    pub from: f64,
    pub to: f64,
    pub counts: Vec<usize>,
}

impl Histogram {
    /// Sorts samples above zero into buckets from the smallest to the largest. `None`: there is none.
    #[must_use]
    pub fn of(samples: &[f64], buckets: usize) -> Option<Self> {
        let logs: Vec<f64> =
            samples.iter().filter(|sample| **sample > 0.0).map(|sample| sample.ln()).collect();
        let from = logs.iter().copied().reduce(f64::min)?;
        let to = logs.iter().copied().reduce(f64::max)?;
        let mut counts = vec![0; buckets];
        for log in logs {
            // All samples alike lie in the first bucket; the largest of others lies in the last.
            let share = if to > from { (log - from) / (to - from) } else { 0.0 };
            let bucket = (share * buckets as f64) as usize;
            counts[bucket.min(buckets - 1)] += 1;
        }
        Some(Self { from: from.exp(), to: to.exp(), counts })
    }

    /// One character a bucket. One that is not empty is never shown as empty.
    #[must_use]
    pub fn line(&self) -> String {
        let highest = self.counts.iter().copied().max().unwrap_or_default().max(1);
        let height = |count: usize| (count * (HEIGHTS.len() - 1)).div_ceil(highest);
        self.counts.iter().map(|&count| HEIGHTS[height(count)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_decade_takes_as_much_room_as_the_next() {
        let histogram = Histogram::of(&[1.0, 1.0, 15.0, 150.0, 1000.0], 3).unwrap();
        assert_eq!(histogram.counts, [2, 1, 2]);
        assert_eq!(histogram.line(), "█▄█");
    }

    #[test]
    fn a_single_outlier_is_seen() {
        let mut samples = vec![1.0; 10_000];
        samples.push(100.0);
        assert_eq!(Histogram::of(&samples, 4).unwrap().line(), "█  ▁");
    }

    #[test]
    fn samples_that_are_all_alike_or_absent_are_no_trouble() {
        assert_eq!(Histogram::of(&[3.0, 3.0], 3).unwrap().counts, [2, 0, 0]);
        assert_eq!(Histogram::of(&[], 3), None);
        assert_eq!(Histogram::of(&[0.0], 3), None);
    }
}
