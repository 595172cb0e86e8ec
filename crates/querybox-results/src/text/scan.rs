//! Looking for the few bytes that a format treats in a way of their own. Most text has none.

/// Bytes that are looked at together: the compiler makes a few instructions of them all.
const TOGETHER: usize = 16;

/// Whether any byte is one of those that are looked for. `is_special` is best made of comparisons and `|`: `matches!` and `||`
/// look at one byte after the other. A space is never looked for.
#[inline]
pub(crate) fn any(text: &[u8], is_special: impl Fn(u8) -> bool) -> bool {
    // No way out in the middle of a chunk: that is what lets them be looked at together.
    let is_found = |chunk: &[u8; TOGETHER]| chunk.iter().fold(false, |found, byte| found | is_special(*byte));
    let (chunks, rest) = text.as_chunks::<TOGETHER>();
    if chunks.iter().any(is_found) {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    let mut last = [b' '; TOGETHER];
    last[..rest.len()].copy_from_slice(rest);
    is_found(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_wherever_it_is() {
        for length in 0..100 {
            let mut text = vec![b'a'; length];
            assert!(!any(&text, |byte| byte == b'"'));
            for at in 0..length {
                text[at] = b'"';
                assert!(any(&text, |byte| byte == b'"'), "{at} of {length}");
                text[at] = b'a';
            }
        }
    }
}
