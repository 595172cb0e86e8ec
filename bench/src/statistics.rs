//! What is computed from samples: order statistics, and ratios within a round.

pub mod histogram;

use serde::Serialize;

/// The shape of many samples of one quantity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Distribution {
    pub count: usize,
    pub min: f64,
    pub quartile_1: f64,
    pub median: f64,
    pub quartile_3: f64,
    pub p99: f64,
    pub max: f64,
}

impl Distribution {
    /// The shape of `samples`, in any order. `None`: there are none.
    #[must_use]
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        Some(Self {
            count: sorted.len(),
            min,
            quartile_1: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            quartile_3: quantile(&sorted, 0.75),
            p99: quantile(&sorted, 0.99),
            max,
        })
    }
}

/// The value below which the share `q` of sorted samples lies, between two samples in proportion to their distance.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = place.ceil() as usize;
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

/// The ratio of two contenders in each round, of their medians there. A round in which either has no sample gives none.
///
/// Machines are noisy, and the noise of a minute hits both: only ratios within a round are worth comparing.
#[must_use]
pub fn ratios(rounds: &[Vec<f64>], floor_rounds: &[Vec<f64>]) -> Vec<f64> {
    let median = |round: &Vec<f64>| Distribution::of(round.iter().copied()).map(|shape| shape.median);
    rounds
        .iter()
        .zip(floor_rounds)
        .filter_map(|(round, floor)| Some(median(round)? / median(floor)?))
        .filter(|ratio| ratio.is_finite())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_read_off_samples_in_any_order() {
        let shape = Distribution::of([5.0, 1.0, 4.0, 2.0, 3.0]).unwrap();
        assert_eq!((shape.min, shape.quartile_1, shape.median), (1.0, 2.0, 3.0));
        assert_eq!((shape.quartile_3, shape.max, shape.count), (4.0, 5.0, 5));
        assert!((shape.p99 - 4.96).abs() < 1e-9, "{shape:?}");
    }

    #[test]
    fn between_two_samples_lies_their_middle() {
        assert_eq!(Distribution::of([1.0, 2.0]).unwrap().median, 1.5);
        let one = Distribution::of([7.0]).unwrap();
        assert_eq!((one.min, one.median, one.p99, one.max), (7.0, 7.0, 7.0, 7.0));
        assert_eq!(Distribution::of([]), None);
    }

    #[test]
    fn the_hundredth_part_above_p99_is_the_slowest() {
        let shape = Distribution::of((0..=100).map(f64::from)).unwrap();
        assert_eq!((shape.p99, shape.max), (99.0, 100.0));
    }

    #[test]
    fn a_round_that_was_slow_for_both_changes_no_ratio() {
        let ours = [vec![2.0, 2.0, 9.0], vec![20.0], vec![2.0]];
        let floor = [vec![1.0], vec![10.0, 10.0], vec![1.0]];
        assert_eq!(ratios(&ours, &floor), [2.0, 2.0, 2.0]);
    }

    #[test]
    fn a_round_without_a_sample_gives_no_ratio() {
        let ours = [vec![2.0], vec![], vec![3.0]];
        let floor = [vec![1.0], vec![1.0], vec![0.0]];
        assert_eq!(ratios(&ours, &floor), [2.0]);
    }
}
