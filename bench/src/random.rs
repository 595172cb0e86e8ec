//! Random moments that a seed brings back.

use std::time::Duration;

/// SplitMix64: one stream of numbers for each seed and number of a cycle, so that no order of tasks changes what a cycle
/// does.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn of_cycle(seed: u64, cycle: usize) -> Self {
        let mut random = Self { state: seed ^ (cycle as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) };
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is above zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// Puts things into an order of its own: each of all orders is as likely.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        // Fisher and Yates, as Durstenfeld has it (Algorithm 235, 1964).
        for at in (1..things.len()).rev() {
            things.swap(at, self.below(at + 1));
        }
    }

    /// A time shorter than `longest`.
    pub(crate) fn time(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.next() as f64 / u64::MAX as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_cycle_bring_the_same_numbers_back() {
        let numbers = |seed, cycle| {
            let mut random = Random::of_cycle(seed, cycle);
            [random.below(1000), random.below(1000), random.below(1000)]
        };
        assert_eq!(numbers(1, 2), numbers(1, 2));
        assert_ne!(numbers(1, 2), numbers(1, 3));
        assert_ne!(numbers(1, 2), numbers(2, 2));
    }

    #[test]
    fn every_order_comes_up() {
        let mut random = Random::of_cycle(3, 0);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut things = [0, 1, 2];
            random.shuffle(&mut things);
            *seen.entry(things).or_insert(0) += 1;
        }
        assert!(seen.len() == 6 && seen.values().all(|&count| count > 800), "{seen:?}");
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_all_of_it() {
        let mut random = Random::of_cycle(7, 0);
        let mut seen = [0; 5];
        for _ in 0..1000 {
            seen[random.below(5)] += 1;
            assert!(random.time(Duration::from_millis(3)) <= Duration::from_millis(3));
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
    }
}
