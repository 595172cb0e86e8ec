//! How values are distributed, found in one pass: nobody knows the least and the greatest before the end.

use std::cmp::Ordering;

/// Bars at most.
const BARS: usize = 64;

/// Counts of values in bars of one width, a power of two. When a value lies beyond the bars, they grow twice as wide, two
/// become one, and no count is lost.
#[derive(Clone, Debug, Default)]
pub(super) struct Bars {
    /// The exponent of the width.
    width: i32,
    /// The first bar begins at `first` · 2^`width`.
    first: i64,
    counts: Vec<u64>,
}

/// A bar of a histogram: the values from `from` up to but not at `to`. Both are exact powers or multiples of powers of two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Its least value.
    pub from: f64,
    /// The next bar's least value.
    pub to: f64,
    /// Values in it.
    pub count: u64,
}

/// Below this, a float has no bar of its own, and places in units of a width must fit 53 bits.
const WIDTH_MIN: i32 = -1000;

impl Bars {
    /// Counts a finite value.
    pub(super) fn add(&mut self, value: f64) {
        if self.counts.is_empty() {
            // As narrow as the value can tell from its neighbors: they grow with what comes.
            let exponent = if value == 0.0 { WIDTH_MIN } else { value.abs().log2().floor() as i32 };
            self.width = (exponent - 50).max(WIDTH_MIN);
            self.first = self.place(value).expect("the width goes with the value");
            self.counts = vec![1];
            return;
        }
        loop {
            if let Some(place) = self.place(value) {
                let last = self.first + self.counts.len() as i64 - 1;
                let (from, to) = (self.first.min(place), last.max(place));
                if to.abs_diff(from) < BARS as u64 {
                    self.reach(from, to);
                    self.counts[(place - from) as usize] += 1;
                    return;
                }
            }
            self.widen();
        }
    }

    /// Counts what others have counted.
    pub(super) fn merge(&mut self, mut others: Bars) {
        if self.counts.is_empty() || others.counts.is_empty() {
            if self.counts.is_empty() {
                *self = others;
            }
            return;
        }
        loop {
            let last = |bars: &Bars| bars.first + bars.counts.len() as i64 - 1;
            let (from, to) = (self.first.min(others.first), last(self).max(last(&others)));
            if self.width == others.width && to.abs_diff(from) < BARS as u64 {
                self.reach(from, to);
                for (place, count) in (others.first..).zip(others.counts) {
                    self.counts[(place - from) as usize] += count;
                }
                return;
            }
            match self.width.cmp(&others.width) {
                Ordering::Less => self.widen(),
                Ordering::Greater => others.widen(),
                Ordering::Equal => {
                    self.widen();
                    others.widen();
                }
            }
        }
    }

    /// Has bars from one place to another.
    fn reach(&mut self, from: i64, to: i64) {
        let before = (self.first - from) as usize;
        self.counts.splice(0..0, std::iter::repeat_n(0, before));
        self.counts.resize((to - from) as usize + 1, 0);
        self.first = from;
    }

    /// The bars, from the least value to the greatest.
    pub(super) fn bars(&self) -> Vec<Bar> {
        let width = 2_f64.powi(self.width);
        let bar = |(place, count): (i64, &u64)| Bar {
            from: place as f64 * width,
            to: (place + 1) as f64 * width,
            count: *count,
        };
        (self.first..).zip(&self.counts).map(bar).collect()
    }

    /// The bar that a value belongs to. `None`: it is far outside of those that are there.
    fn place(&self, value: f64) -> Option<i64> {
        let scaled = value * 2_f64.powi(-self.width);
        if scaled.abs() >= 2_f64.powi(62) {
            return None;
        }
        // What is too small to be scaled has a sign all the same.
        Some(if value < 0.0 && scaled == 0.0 { -1 } else { scaled.floor() as i64 })
    }

    fn widen(&mut self) {
        let first = self.first.div_euclid(2);
        let mut counts = vec![0; self.counts.len() / 2 + 1];
        for (place, count) in (self.first..).zip(&self.counts) {
            counts[(place.div_euclid(2) - first) as usize] += count;
        }
        while counts.last() == Some(&0) {
            counts.pop();
        }
        (self.width, self.first, self.counts) = (self.width + 1, first, counts);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bars(values: &[f64]) -> Vec<Bar> {
        let mut bars = Bars::default();
        values.iter().for_each(|value| bars.add(*value));
        bars.bars()
    }

    #[test]
    fn hundred_numbers_have_bars_of_two() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let bars = bars(&values);
        assert_eq!(bars.len(), 50);
        assert!(bars.iter().zip(0..).all(|(bar, at)| *bar
            == Bar { from: f64::from(2 * at), to: f64::from(2 * at + 2), count: 2 }));
    }

    #[test]
    fn extremes_have_a_bar_too() {
        for values in [vec![0.0], vec![-0.0, 0.0], vec![f64::MAX, f64::MIN, 0.0], vec![5e-324, 1e300, -1.0]] {
            assert_eq!(bars(&values).iter().map(|bar| bar.count).sum::<u64>(), values.len() as u64);
        }
        assert_eq!(bars(&[]), []);
    }

    proptest! {
        #[test]
        fn each_value_is_counted_in_its_bar(values in prop::collection::vec(
            prop_oneof![-100.0..100.0, prop::num::f64::NORMAL, Just(0.0)], 0..200)
        ) {
            let (mut even, mut odd) = (Bars::default(), Bars::default());
            for (place, value) in values.iter().enumerate() {
                if place % 2 == 0 { even.add(*value) } else { odd.add(*value) }
            }
            even.merge(odd);
            let merged = even.bars();
            let bars = bars(&values);
            prop_assert!(bars.len() <= BARS && merged.len() <= BARS);
            for bar in bars.into_iter().chain(merged) {
                let inside = values.iter().filter(|value| (bar.from..bar.to).contains(*value)).count();
                prop_assert_eq!(inside as u64, bar.count, "{:?}", bar);
            }
        }
    }
}
