//! Keys that no random source made.

use super::{MasterKeyError, guessable::is_guessable};
use crate::primitives::KEY_BYTES;

/// A random key has fewer different bytes less often than once in 10^15.
const DISTINCT_MIN: usize = 16;

/// Of the 32 bytes of a random key so many are the same less often than once in 10^13.
const SAME_MIN: usize = 10;

/// Refuses what was not made by a random source.
///
/// This is for mistakes, such as a placeholder that nobody replaced. It compares in any time it likes: what it refuses is no
/// secret, and what it takes tells nothing by having been taken.
pub(super) fn check(key: &[u8; KEY_BYTES]) -> Result<(), MasterKeyError> {
    if EXAMPLES.contains(key) {
        return Err(MasterKeyError::Example);
    }
    if key.iter().all(|byte| *byte == 0) {
        return Err(MasterKeyError::Zero);
    }
    if (1..=KEY_BYTES / 2).any(|period| repeats(key, period)) || is_mirrored(key) || is_filled(key) {
        return Err(MasterKeyError::Repeats);
    }
    if counts(key) {
        return Err(MasterKeyError::Counts);
    }
    // Of random keys less than one in 10^13 is text.
    if is_text(key) {
        return Err(MasterKeyError::ReadableText);
    }
    let distinct = distinct_bytes(key);
    if distinct < DISTINCT_MIN {
        return Err(MasterKeyError::FewBytes { distinct });
    }
    match is_guessable(key) {
        true => Err(MasterKeyError::Guessable),
        false => Ok(()),
    }
}

/// Whether most bytes are those that stand so far before them. With a random key, of the 16 to 31 pairs half are equal less
/// often than once in 10^15.
fn repeats(key: &[u8; KEY_BYTES], period: usize) -> bool {
    let pairs = key.iter().zip(&key[period..]);
    2 * pairs.filter(|(one, other)| one == other).count() >= KEY_BYTES - period
}

/// Whether most of the second half is the first one backwards.
fn is_mirrored(key: &[u8; KEY_BYTES]) -> bool {
    let (one, other) = key.split_at(KEY_BYTES / 2);
    let pairs = one.iter().zip(other.iter().rev());
    2 * pairs.filter(|(one, other)| one == other).count() >= KEY_BYTES / 2
}

/// Whether one byte stands at so many places, as where a shorter key was filled up.
fn is_filled(key: &[u8; KEY_BYTES]) -> bool {
    key.iter().any(|byte| key.iter().filter(|other| *other == byte).count() >= SAME_MIN)
}

/// Whether most bytes are as far from the one before them.
fn counts(key: &[u8; KEY_BYTES]) -> bool {
    let mut steps: Vec<u8> = key.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let half = steps.len() / 2;
    steps.sort_unstable();
    steps.windows(half).any(|same| same.first() == same.last())
}

/// Whether it is text, perhaps with zeros before or behind it.
fn is_text(key: &[u8; KEY_BYTES]) -> bool {
    let first = key.iter().take_while(|byte| **byte == 0).count();
    let behind = key.iter().rev().take_while(|byte| **byte == 0).count();
    let text = &key[first..KEY_BYTES - behind];
    text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'))
}

fn distinct_bytes(key: &[u8; KEY_BYTES]) -> usize {
    let is_first = |(at, byte): &(usize, &u8)| !key[..*at].contains(byte);
    key.iter().enumerate().filter(is_first).count()
}

/// Keys that everybody has and that the other rules would let pass, beside those of our own pages and tests.
const EXAMPLES: &[[u8; KEY_BYTES]] = &[
    // Our documentation's, and that of `keys --help`.
    *b"querybox-example-key-do-not-use!",
    // tests/vectors/seal-v1.json.
    [
        0x71, 0xc3, 0x0e, 0x9a, 0x54, 0xf8, 0x2d, 0xb6, 0x1f, 0x87, 0xe2, 0x3b, 0xd5, 0x60, 0x49, 0xac, 0x08,
        0x96, 0xfd, 0x73, 0x25, 0xba, 0x4e, 0xd1, 0x37, 0x8c, 0xe9, 0x12, 0x6b, 0xa0, 0x5f, 0xc4,
    ],
    [
        0x2a, 0x95, 0xd0, 0x47, 0x6e, 0xbc, 0x13, 0xf9, 0x82, 0x5d, 0x0b, 0xe6, 0xa7, 0x34, 0xc8, 0x71, 0x9f,
        0x40, 0x1e, 0xd3, 0x58, 0xa2, 0x7c, 0xb5, 0x06, 0xeb, 0x39, 0x84, 0xf2, 0x6d, 0x17, 0xca,
    ],
    // NIST SP 800-38A, appendix F, AES-256.
    [
        0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81, 0x1f,
        0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4,
    ],
    // RFC 7748, section 6.1: the private keys of Alice and Bob.
    [
        0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf,
        0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
    ],
    [
        0x5d, 0xab, 0x08, 0x7e, 0x62, 0x4a, 0x8a, 0x4b, 0x79, 0xe1, 0x7f, 0x8b, 0x83, 0x80, 0x0e, 0xe6, 0x6f,
        0x3b, 0xb1, 0x29, 0x26, 0x18, 0xb6, 0xfd, 0x1c, 0x2f, 0x8b, 0x27, 0xff, 0x88, 0xe0, 0xeb,
    ],
    // RFC 8032, section 7.1, test 1.
    [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
        0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MasterKey, primitives};

    #[test]
    fn what_a_random_source_makes_is_taken() {
        for _ in 0..10_000 {
            let mut key = [0; KEY_BYTES];
            primitives::fill_random(&mut key);
            assert_eq!(check(&key), Ok(()));
        }
    }

    #[test]
    fn what_it_never_makes_is_refused() {
        assert_eq!(check(&[0; 32]), Err(MasterKeyError::Zero));
        assert_eq!(check(&[0xff; 32]), Err(MasterKeyError::Repeats));
        for period in 1..=16_u8 {
            let key = std::array::from_fn(|at| (at as u8 % period).wrapping_mul(37).wrapping_add(11));
            assert_eq!(check(&key), Err(MasterKeyError::Repeats), "{period}");
        }
        for step in [1, 2, 7, 0xff_u8] {
            let key = std::array::from_fn(|at| (at as u8).wrapping_mul(step));
            assert_eq!(check(&key), Err(MasterKeyError::Counts), "{step}");
        }
        // Nearly so.
        let mut key: [u8; 32] = std::array::from_fn(|at| (at as u8 % 16).wrapping_mul(37).wrapping_add(11));
        (key[3], key[20]) = (1, 2);
        assert_eq!(check(&key), Err(MasterKeyError::Repeats));
        let mut key = [9; 32];
        key[31] = 8;
        assert_eq!(check(&key), Err(MasterKeyError::Repeats));
        let mut key: [u8; 32] = std::array::from_fn(|at| at as u8);
        key[31] = 30;
        assert_eq!(check(&key), Err(MasterKeyError::Counts));
        key.reverse();
        assert_eq!(check(&key), Err(MasterKeyError::Counts));
        let half: [u8; 16] = primitives::sha256(b"half")[..16].try_into().unwrap();
        let with = |other: [u8; 16]| -> [u8; 32] { [half, other].concat().try_into().unwrap() };
        let mut backwards = half;
        backwards.reverse();
        for other in [half, backwards, [0; 16], [0xff; 16]] {
            assert_eq!(check(&with(other)), Err(MasterKeyError::Repeats), "{other:?}");
        }
        // Numbers of two and of four bytes.
        let key = std::array::from_fn(|at| if at % 2 == 0 { 0 } else { at as u8 });
        assert_eq!(check(&key), Err(MasterKeyError::Repeats));
        assert_eq!(check(b"a passphrase of 29 characters\0\0\0"), Err(MasterKeyError::ReadableText));
        assert_eq!(check(&primitives::sha256(b"admin")), Err(MasterKeyError::Guessable));
        assert_eq!(check(&primitives::sha256(b"")), Err(MasterKeyError::Guessable));
        assert_eq!(check(b"a passphrase of 32 characters!!!"), Err(MasterKeyError::ReadableText));
        assert_eq!(check(b"5f4dcc3b5aa765d61d8327deb882cf99"), Err(MasterKeyError::ReadableText));
        let values = [7, 200, 3, 99, 141, 8, 250, 17, 64, 31, 128, 77, 5, 190, 222_u8];
        let few = std::array::from_fn(|at| values[if at < 15 { at } else { at * at % 11 }]);
        assert_eq!(check(&few), Err(MasterKeyError::FewBytes { distinct: 15 }));
    }

    #[test]
    fn examples_are_refused_by_that_name() {
        for key in EXAMPLES {
            assert_eq!(check(key), Err(MasterKeyError::Example));
        }
        // As the documentation writes it.
        let text = "cXVlcnlib3gtZXhhbXBsZS1rZXktZG8tbm90LXVzZSE=";
        assert_eq!(MasterKey::parse(text).unwrap_err(), MasterKeyError::Example);
    }
}
