//! A key for what a process puts on disk and nobody reads after it.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::primitives::{self, KEY_BYTES};

/// An AES-256-GCM key that is made at random, never leaves, is never kept, and is wiped when dropped.
///
/// It seals records that come back to the same process: whatever is left of them when the key is gone, nobody can read.
/// A record's number is its nonce. The key counts them itself, so that no number is ever used twice; and
/// it is authenticated with the record, so that a record does not open in the place of another.
///
/// ```
/// use querybox_vault::EphemeralKey;
///
/// let key = EphemeralKey::make("example");
/// let mut record = b"rows".to_vec();
/// let number = key.seal(&mut record);
/// assert_ne!(record, b"rows");
/// assert_eq!(key.open(number, &mut record)?, b"rows");
/// # Ok::<(), querybox_vault::RecordChanged>(())
/// ```
pub struct EphemeralKey {
    /// AWS-LC keeps the key in its own memory, which it wipes before it gives it back.
    cipher: LessSafeKey,
    purpose: &'static str,
    next: AtomicU64,
}

/// The number of a record: which of the records it is that one [`EphemeralKey`] has sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordNumber(u64);

/// What was to be opened is not, whole and unchanged, the record that this key sealed under this number.
///
/// It does not say what differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record is not the one that was sealed")]
pub struct RecordChanged;

impl EphemeralKey {
    /// Bytes by which a record grows when it is sealed.
    pub const OVERHEAD_BYTES: usize = primitives::TAG_BYTES;

    /// Makes a key. `purpose` is authenticated with each record.
    #[must_use]
    pub fn make(purpose: &'static str) -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        primitives::fill_random(key.as_mut_slice());
        let unbound = UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("the key has the cipher's length");
        EphemeralKey { cipher: LessSafeKey::new(unbound), purpose, next: AtomicU64::new(0) }
    }

    /// Seals a record in place, which becomes [`OVERHEAD_BYTES`](Self::OVERHEAD_BYTES) longer, and answers with the
    /// number that opens it.
    #[must_use = "a record without its number does not open"]
    pub fn seal(&self, record: &mut Vec<u8>) -> RecordNumber {
        // Counting to 2^64 takes longer than any process lives: at a thousand million records a second, 584 years.
        let number = RecordNumber(self.next.fetch_add(1, Ordering::Relaxed));
        record.reserve_exact(Self::OVERHEAD_BYTES);
        self.cipher
            .seal_in_place_append_tag(nonce(number), Aad::from(self.authenticated(number)), record)
            .expect("AES-GCM takes whatever fits into memory");
        number
    }

    /// Opens a record in place.
    ///
    /// # Errors
    ///
    /// When it is not the record with this number, or was changed. The buffer then holds nothing of meaning.
    pub fn open<'r>(
        &self,
        number: RecordNumber,
        record: &'r mut [u8],
    ) -> Result<&'r mut [u8], RecordChanged> {
        self.cipher
            .open_in_place(nonce(number), Aad::from(self.authenticated(number)), record)
            .map_err(|_| RecordChanged)
    }

    /// All parts but the last have a fixed length, or end with a byte that no purpose has inside.
    fn authenticated(&self, number: RecordNumber) -> Vec<u8> {
        [b"querybox ephemeral v1 ", self.purpose.as_bytes(), &[0], &number.0.to_be_bytes()].concat()
    }
}

impl fmt::Debug for EphemeralKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EphemeralKey(..)")
    }
}

fn nonce(number: RecordNumber) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - 8..].copy_from_slice(&number.0.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &[u8] = b"a record that nobody else reads";

    fn sealed(key: &EphemeralKey) -> (RecordNumber, Vec<u8>) {
        let mut record = RECORD.to_vec();
        let number = key.seal(&mut record);
        (number, record)
    }

    #[test]
    fn a_record_opens_under_its_number_and_shows_nothing_before() {
        let key = EphemeralKey::make("test");
        for _ in 0..3 {
            let (number, mut record) = sealed(&key);
            assert_eq!(record.len(), RECORD.len() + EphemeralKey::OVERHEAD_BYTES);
            assert!(!record.windows(4).any(|part| RECORD.windows(4).any(|clear| clear == part)));
            assert_eq!(key.open(number, &mut record).unwrap(), RECORD);
        }
    }

    #[test]
    fn no_number_is_given_twice_also_to_many_at_once() {
        let key = EphemeralKey::make("test");
        let mut numbers = std::thread::scope(|scope| {
            let seal_some = || (0..500).map(|_| key.seal(&mut Vec::new()).0).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(seal_some)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        numbers.sort_unstable();
        assert_eq!(numbers, (0..2000).collect::<Vec<_>>());
    }

    #[test]
    fn one_record_sealed_twice_shares_nothing() {
        let key = EphemeralKey::make("test");
        assert_ne!(sealed(&key).1[..8], sealed(&key).1[..8]);
    }

    #[test]
    fn a_record_with_any_bit_flipped_is_refused() {
        let key = EphemeralKey::make("test");
        let (number, record) = sealed(&key);
        for bit in 0..record.len() * 8 {
            let mut changed = record.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(number, &mut changed), Err(RecordChanged), "bit {bit}");
        }
    }

    #[test]
    fn a_shorter_or_longer_record_is_refused() {
        let key = EphemeralKey::make("test");
        let (number, record) = sealed(&key);
        for length in 0..record.len() {
            assert_eq!(key.open(number, &mut record[..length].to_vec()), Err(RecordChanged));
        }
        assert_eq!(key.open(number, &mut [record.as_slice(), &[0]].concat()), Err(RecordChanged));
    }

    #[test]
    fn a_record_in_the_place_of_another_is_refused() {
        let key = EphemeralKey::make("test");
        let ((first, mut first_record), (second, mut second_record)) = (sealed(&key), sealed(&key));
        assert_eq!(key.open(first, &mut second_record), Err(RecordChanged));
        assert_eq!(key.open(second, &mut first_record), Err(RecordChanged));
    }

    #[test]
    fn another_key_or_purpose_opens_nothing() {
        let key = EphemeralKey::make("test");
        let (number, record) = sealed(&key);
        assert_eq!(EphemeralKey::make("test").open(number, &mut record.clone()), Err(RecordChanged));
        let elsewhere = EphemeralKey { purpose: "other", ..key };
        assert_eq!(elsewhere.open(number, &mut record.clone()), Err(RecordChanged));
        let same = EphemeralKey { purpose: "test", ..elsewhere };
        assert_eq!(same.open(number, &mut record.clone()).unwrap(), RECORD);
    }

    #[test]
    fn nothing_that_is_printed_shows_a_key() {
        assert_eq!(format!("{:?}", EphemeralKey::make("test")), "EphemeralKey(..)");
        assert_eq!(RecordChanged.to_string(), "the record is not the one that was sealed");
    }
}
