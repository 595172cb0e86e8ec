//! Channel binding by the server's certificate (`tls-server-end-point`, RFC 5929 section 4.1): its hash, by the function
//! with which it was signed.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};

const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// The hash function among the parameters of RSASSA-PSS: context-specific, constructed, number 0.
const PSS_HASH: u8 = 0xa0;

/// The hash; none for a certificate that cannot be read, or whose signature has no hash function of its own (Ed25519).
pub(super) fn of_certificate(der: &[u8]) -> Option<Vec<u8>> {
    Some(digest(signature_hash(der)?, der).as_ref().to_vec())
}

fn signature_hash(der: &[u8]) -> Option<&'static Algorithm> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (_, behind_content) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(behind_content, SEQUENCE)?;
    let (id, parameters) = element(algorithm, OBJECT_ID)?;
    match id {
        // RSA (1.2.840.113549.1.1): with MD5 and SHA-1, which the RFC replaces, then the others.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 | 5 | 11] => Some(&SHA256),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12] => Some(&SHA384),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13] => Some(&SHA512),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10] => pss_hash(parameters),
        // ECDSA (1.2.840.10045.4): with SHA-1, then the others.
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => Some(&SHA256),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => Some(&SHA384),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => Some(&SHA512),
        _ => None,
    }
}

fn pss_hash(parameters: &[u8]) -> Option<&'static Algorithm> {
    let (parameters, _) = element(parameters, SEQUENCE)?;
    // Left out, it is SHA-1.
    let Some((hash, _)) = element(parameters, PSS_HASH) else { return Some(&SHA256) };
    let (hash, _) = element(hash, SEQUENCE)?;
    match element(hash, OBJECT_ID)?.0 {
        [0x2b, 0x0e, 3, 2, 0x1a] | [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => Some(&SHA256),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => Some(&SHA384),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => Some(&SHA512),
        _ => None,
    }
}

/// The content of a DER element with this tag, and what follows it.
fn element(der: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk()?;
    if tag != expected {
        return None;
    }
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        // So many bytes of length follow; three are enough for any certificate.
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
            (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    }

    fn signed(algorithm: &[u8]) -> Vec<u8> {
        der(SEQUENCE, &[der(SEQUENCE, b"content"), der(SEQUENCE, algorithm), der(3, b"signature")].concat())
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        let rsa = |number| der(OBJECT_ID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, number]);
        let ecdsa = |number| der(OBJECT_ID, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, number]);
        let pss = |number| {
            let hash = der(OBJECT_ID, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, number]);
            [rsa(10), der(SEQUENCE, &der(PSS_HASH, &der(SEQUENCE, &hash)))].concat()
        };
        for (algorithm, bytes) in [
            (rsa(5), Some(32)),
            (rsa(11), Some(32)),
            (rsa(12), Some(48)),
            (rsa(13), Some(64)),
            (ecdsa(2), Some(32)),
            (ecdsa(4), Some(64)),
            (pss(2), Some(48)),
            ([rsa(10), der(SEQUENCE, b"")].concat(), Some(32)),
            // Ed25519.
            (der(OBJECT_ID, &[0x2b, 0x65, 0x70]), None),
        ] {
            let certificate = signed(&algorithm);
            assert_eq!(of_certificate(&certificate).map(|hash| hash.len()), bytes, "{algorithm:x?}");
            for length in 0..certificate.len() - 11 {
                assert_eq!(of_certificate(&certificate[..length]), None);
            }
        }
    }
}
