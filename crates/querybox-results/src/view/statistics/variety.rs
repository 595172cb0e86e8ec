//! How many different values there are: exactly, as long as they fit into memory, and after that about so.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

/// Registers of an estimate: its error is 1.04 / √16384, less than one percent.
const REGISTERS: usize = 1 << REGISTER_BITS;
const REGISTER_BITS: u32 = 14;
/// What a value takes in a set beside its own bytes.
const VALUE_OVERHEAD_BYTES: usize = 48;

/// A number of different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distinct {
    /// Exactly so many.
    Exact(u64),
    /// About so many, within three percent nearly always: there are too many to hold.
    About(u64),
}

/// Counts different values.
pub(super) struct Variety {
    bytes_max: usize,
    bytes: usize,
    values: HashSet<Box<[u8]>>,
    /// Once there are too many (Flajolet and others: HyperLogLog, 2007).
    registers: Option<Vec<u8>>,
    /// With keys of its own, so that nobody chooses values that spoil the estimate.
    hasher: RandomState,
}

impl Variety {
    pub(super) fn new(bytes_max: usize) -> Variety {
        let (values, hasher) = (HashSet::new(), RandomState::new());
        Variety { bytes_max, bytes: 0, values, registers: None, hasher }
    }

    pub(super) fn add(&mut self, key: &[u8]) {
        let hash = self.hasher.hash_one(key);
        if let Some(registers) = &mut self.registers {
            return note(registers, hash);
        }
        if self.values.contains(key) {
            return;
        }
        self.bytes += key.len() + VALUE_OVERHEAD_BYTES;
        if self.bytes <= self.bytes_max {
            self.values.insert(key.into());
            return;
        }
        let mut registers = vec![0; REGISTERS];
        for value in std::mem::take(&mut self.values) {
            note(&mut registers, self.hasher.hash_one(value));
        }
        note(&mut registers, hash);
        self.registers = Some(registers);
    }

    pub(super) fn count(&self) -> Distinct {
        match &self.registers {
            None => Distinct::Exact(self.values.len() as u64),
            Some(registers) => Distinct::About(estimate(registers)),
        }
    }
}

/// Keeps, by the first bits of a hash, the most zeros seen before the first one in the others.
fn note(registers: &mut [u8], hash: u64) {
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
        let mut variety = Variety::new(bytes_max);
        for _ in 0..2 {
            for value in 0..different {
                variety.add(&value.to_be_bytes());
            }
        }
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
}
