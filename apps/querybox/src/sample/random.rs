//! A small random generator with the same numbers on every machine.

/// SplitMix64: a few instructions a number, and good enough for invented shoppers. Not for keys.
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// A stream of its own for each `purpose`.
    pub(super) fn for_purpose(purpose: &str) -> Self {
        // FNV-1a; the standard library's hasher may change between releases.
        let state = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self { state }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Sixteen random bytes.
    pub(super) fn bytes(&mut self) -> [u8; 16] {
        (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes()
    }

    /// A number from 0 up to but without `bound`, which is above zero.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        // The high bits of the product; its bias is below one in a million for the bounds used here.
        ((u64::from(self.next() as u32) * u64::from(bound)) >> 32) as u32
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// The lowest of several draws below `bound`: small numbers come often, large ones seldom.
    pub(super) fn lowest_of(&mut self, draws: u32, bound: u32) -> u32 {
        (1..draws).fold(self.below(bound), |lowest, _| lowest.min(self.below(bound)))
    }

    /// An index below `length` that favors the small ones.
    pub(super) fn low_index(&mut self, length: usize) -> usize {
        self.lowest_of(3, u32::try_from(length).expect("the sample's tables are small")) as usize
    }

    /// One of `items`, which is not empty.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let length = u32::try_from(items.len()).expect("the sample's lists are small");
        &items[self.below(length) as usize]
    }

    /// One of `items`, each as often as its weight says.
    pub(super) fn pick_weighted<'a, T>(&mut self, items: &'a [(u32, T)]) -> &'a T {
        let mut draw = self.below(items.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in items {
            if draw < *weight {
                return item;
            }
            draw -= weight;
        }
        unreachable!("the draw is below the sum of the weights")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_never_change() {
        let mut random = Random { state: 0 };
        // The first outputs of SplitMix64 for seed 0, as its author published them.
        assert_eq!(random.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.next(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn draws_stay_in_their_bounds() {
        let mut random = Random::for_purpose("bounds");
        let mut seen = [0_u32; 4];
        for _ in 0..10_000 {
            seen[random.between(1, 3) as usize] += 1;
            assert!(random.low_index(7) < 7);
            assert_ne!(*random.pick_weighted(&[(1, 'a'), (0, 'b'), (9, 'c')]), 'b');
        }
        assert_eq!(seen[0], 0);
        assert!(seen[1..].iter().all(|count| *count > 3_000), "{seen:?}");
    }
}
