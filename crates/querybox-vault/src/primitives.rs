//! The cryptography, all of it AWS-LC's, in the few forms that the vault needs.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time::verify_slices_are_equal,
    digest::{SHA256, SHA512, digest},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand,
};

/// Bytes of an AES-256-GCM key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of an AES-GCM nonce.
pub(crate) const NONCE_BYTES: usize = NONCE_LEN;
/// Bytes of an AES-GCM tag.
pub(crate) const TAG_BYTES: usize = 16;

/// Fills a buffer from the system's random source.
pub(crate) fn fill_random(buffer: &mut [u8]) {
    rand::fill(buffer).expect("AWS-LC ends the process rather than be without random bytes");
}

/// SHA-256.
pub(crate) fn sha256(text: &[u8]) -> [u8; 32] {
    digest(&SHA256, text).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// SHA-512.
pub(crate) fn sha512(text: &[u8]) -> [u8; 64] {
    digest(&SHA512, text).as_ref().try_into().expect("SHA-512 has 64 bytes")
}

/// HKDF-SHA256. The parts of `info` are put together as they are, so all but one must have a fixed length.
pub(crate) fn derive(input: &[u8], salt: &[u8], info: &[&[u8]], output: &mut [u8]) {
    let prk = Salt::new(HKDF_SHA256, salt).extract(input);
    let okm = prk.expand(info, Length(output.len())).expect("nothing longer than 255 hashes is derived here");
    okm.fill(output).expect("the output has the length that was asked for");
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
pub(crate) fn are_equal(left: &[u8], right: &[u8]) -> bool {
    verify_slices_are_equal(left, right).is_ok()
}

/// Encrypts in place, and answers with the tag. A key must be used once only.
pub(crate) fn encrypt(
    key: &[u8; KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    authenticated: &[u8],
    text: &mut [u8],
) -> [u8; TAG_BYTES] {
    let tag = cipher(key)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(authenticated), text)
        .expect("AES-GCM takes whatever fits into memory");
    tag.as_ref().try_into().expect("a tag of AES-GCM has 16 bytes")
}

/// Decrypts a text with its tag at the end in place, and answers with the length of what came out. `None`: it is not what was
/// encrypted with this key, nonce and authenticated data; the buffer then holds nothing of meaning.
pub(crate) fn decrypt(
    key: &[u8; KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    authenticated: &[u8],
    text_and_tag: &mut [u8],
) -> Option<usize> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let clear = cipher(key).open_in_place(nonce, Aad::from(authenticated), text_and_tag).ok()?;
    Some(clear.len())
}

fn cipher(key: &[u8; KEY_BYTES]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has the cipher's length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST's examples for "abc".
    #[test]
    fn hashes_are_sha256_and_sha512() {
        assert_eq!(sha256(b"abc")[..8], [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]);
        assert_eq!(sha512(b"abc")[..8], [0xdd, 0xaf, 0x35, 0xa1, 0x93, 0x61, 0x7a, 0xba]);
    }

    /// RFC 5869, test case 1.
    #[test]
    fn derivation_is_hkdf_sha256() {
        let info = [0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9];
        let salt = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let mut output = [0; 42];
        derive(&[0x0b; 22], &salt, &[&info[..4], &info[4..]], &mut output);
        let expected = [
            0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36, 0x2f, 0x2a,
            0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a, 0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56, 0xec, 0xc4, 0xc5, 0xbf,
            0x34, 0x00, 0x72, 0x08, 0xd5, 0xb8, 0x87, 0x18, 0x58, 0x65,
        ];
        assert_eq!(output, expected);
    }

    /// The GCM specification (McGrew, Viega), test case 14.
    #[test]
    fn the_cipher_is_aes_256_gcm() {
        let mut text = [0; 16];
        let tag = encrypt(&[0; 32], [0; 12], &[], &mut text);
        assert_eq!(
            text,
            [0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18]
        );
        assert_eq!(
            tag,
            [0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19]
        );
    }

    #[test]
    fn strings_of_different_lengths_are_not_equal() {
        assert!(are_equal(b"same", b"same"));
        assert!(!are_equal(b"same", b"sama"));
        assert!(!are_equal(b"same", b"sam"));
        assert!(are_equal(b"", b""));
    }
}
