//! Bytes of a driver, made fit for a log, a terminal and a person.

use std::fmt::Write;

/// The text with everything escaped that could steer a terminal or hide from a reader; line breaks and tabs stay.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\t' => text.push(character),
                _ if is_steering(character) => text.extend(character.escape_default()),
                _ => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("writing to a string does not fail");
        }
    }
    text
}

/// Control characters, and the marks that turn the direction of text around.
fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_instead() {
        assert_eq!(printable(b"plain \xc3\xa9\n\tindented"), "plain é\n\tindented");
        assert_eq!(printable(b"\x1b[31mred\r\x07"), "\\u{1b}[31mred\\r\\u{7}");
        assert_eq!(printable("a\u{202e}b\u{9b}".as_bytes()), "a\\u{202e}b\\u{9b}");
        assert_eq!(printable(b"\xff\xfe"), "\\xff\\xfe");
    }
}
