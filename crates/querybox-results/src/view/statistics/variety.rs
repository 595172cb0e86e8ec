//! How many different values there are: exactly, as long as they fit into memory, and after that about so.
//!
//! A value is told from others by 128 bits of two hashes with keys that nobody knows: that two of ten million different values are
//! taken for one happens once in 10^24 times. So each takes as little as it can, whatever its length.

use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
};

/// Registers of an estimate: its error is 1.04 / √16384, less than one percent.
const REGISTERS: usize = 1 << REGISTER_BITS;
const REGISTER_BITS: u32 = 14;
/// Values are in several sets, by their first bits: one that grows is there twice for a moment, and the others are not.
const SETS: usize = 1 << SET_BITS;
const SET_BITS: u32 = 6;
/// What a place in a set takes: a value, and a byte that the set looks at first.
const PLACE_BYTES: usize = 17;

/// A number of different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distinct {
    /// Exactly so many.
    Exact(u64),
    /// About so many, within three percent nearly always: there are too many to hold.
    About(u64),
}

/// What stands for a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u128);

/// Makes marks. With keys of its own, so that nobody chooses values that spoil the estimate.
pub(super) struct Marker([RandomState; 2]);

/// Counts different values.
pub(super) struct Variety {
    bytes_max: usize,
    /// What all sets take.
    bytes: usize,
    sets: Vec<HashSet<u128, BuildHasherDefault<AsItIs>>>,
    /// Once there are too many (Flajolet and others: HyperLogLog, 2007).
    registers: Option<Vec<u8>>,
}

impl Marker {
    pub(super) fn new() -> Marker {
        Marker([RandomState::new(), RandomState::new()])
    }

    pub(super) fn mark(&self, key: &[u8]) -> Mark {
        let [first, second] = self.0.each_ref().map(|hasher| u128::from(hasher.hash_one(key)));
        Mark(first << 64 | second)
    }
}

impl Variety {
    pub(super) fn new(bytes_max: usize) -> Variety {
        Variety { bytes_max, bytes: 0, sets: vec![HashSet::default(); SETS], registers: None }
    }

    pub(super) fn add(&mut self, mark: Mark) {
        if let Some(registers) = &mut self.registers {
            return note(registers, mark);
        }
        let Mark(value) = mark;
        let set = &mut self.sets[(value >> (128 - SET_BITS)) as usize];
        if set.len() < set.capacity() {
            set.insert(value);
            return;
        }
        if set.contains(&value) {
            return;
        }
        let before = bytes_of(set.capacity());
        // The old places and the new ones, for a moment.
        if self.bytes + bytes_of(2 * set.capacity().max(2)) > self.bytes_max {
            return self.estimate_from_now_on(mark);
        }
        set.insert(value);
        self.bytes += bytes_of(set.capacity()) - before;
    }

    pub(super) fn count(&self) -> Distinct {
        match &self.registers {
            None => Distinct::Exact(self.sets.iter().map(|set| set.len() as u64).sum()),
            Some(registers) => Distinct::About(estimate(registers)),
        }
    }

    fn estimate_from_now_on(&mut self, mark: Mark) {
        let mut registers = vec![0; REGISTERS];
        for set in std::mem::take(&mut self.sets) {
            set.into_iter().for_each(|value| note(&mut registers, Mark(value)));
        }
        note(&mut registers, mark);
        self.registers = Some(registers);
    }
}

/// What a set takes that has room for so many.
fn bytes_of(capacity: usize) -> usize {
    // A set is filled to seven eighths, and has a power of two places.
    if capacity == 0 { 0 } else { (capacity * 8 / 7).next_power_of_two() * PLACE_BYTES }
}

/// A mark is a hash already.
#[derive(Clone, Copy, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("marks are whole numbers");
    }

    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
}

/// Keeps, by the first bits of a hash, the most zeros seen before the first one in the others.
fn note(registers: &mut [u8], mark: Mark) {
    let hash = mark.0 as u64;
    let register = (hash >> (64 - REGISTER_BITS)) as usize;
    let rest = hash << REGISTER_BITS;
    let rank = (rest.leading_zeros().min(64 - REGISTER_BITS) + 1) as u8;
    registers[register] = registers[register].max(rank);
}

fn estimate(registers: &[u8]) -> u64 {
    let count = REGISTERS as f64;
    let bias = 0.7213 / (1.0 + 1.079 / count);
    let raw = bias * count * count / registers.iter().map(|rank| 2_f64.powi(-i32::from(*rank))).sum::<f64>();
    let empty = registers.iter().filter(|rank| **rank == 0).count();
    // Few values: those registers that none came to say more.
    let few = raw <= 2.5 * count && empty > 0;
    (if few { count * (count / empty as f64).ln() } else { raw }).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(different: u64, bytes_max: usize) -> Distinct {
        let (marker, mut variety) = (Marker::new(), Variety::new(bytes_max));
        for _ in 0..2 {
            for value in 0..different {
                variety.add(marker.mark(&value.to_be_bytes()));
            }
        }
        assert!(variety.bytes <= bytes_max);
        variety.count()
    }

    #[test]
    fn what_fits_is_counted_exactly() {
        for different in [0, 1, 10, 10_000] {
            assert_eq!(count(different, 1 << 20), Distinct::Exact(different));
        }
    }

    #[test]
    fn what_does_not_fit_is_estimated_and_says_so() {
        for different in [100, 5000, 50_000, 300_000] {
            let Distinct::About(about) = count(different, 1000) else { panic!("{different} fit") };
            // Ten times the deviation: by chance this never fails.
            assert!(about.abs_diff(different) * 12 <= different, "{about} for {different}");
        }
    }

    #[test]
    fn what_a_set_takes_is_no_less_than_what_it_has() {
        let mut set: HashSet<u128, BuildHasherDefault<AsItIs>> = HashSet::default();
        for value in 0..100_000_u128 {
            set.insert(value << 64 | value.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            // A set of std tells its capacity, which is seven eighths of its places, or one less than a few.
            assert!(bytes_of(set.capacity()) >= set.capacity() * PLACE_BYTES, "{}", set.capacity());
        }
    }
}
