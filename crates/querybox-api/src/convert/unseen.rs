//! Characters that nobody sees, by which one name looks like another.

/// Those of the general categories Cf (formats, among them all controls of direction), Zl and Zp (ends of lines and paragraphs) in
/// `DerivedGeneralCategory.txt` of Unicode 16.0, in order. Cc (controls) is known to `char` itself.
const UNSEEN: [(char, char); 21] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    // Zl and Zp stand before the controls of direction.
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{2064}'),
    ('\u{2066}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0001}', '\u{e0001}'),
    ('\u{e0020}', '\u{e007f}'),
];

/// Whether a character is not seen where it stands.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control() || UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn all_of_unicodes_unseen_characters_are_known() {
        // The tables of another library, made from the same source.
        let unseen = Regex::new(r"^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]$").unwrap();
        let turns_direction = Regex::new(r"^\p{Bidi_Control}$").unwrap();
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert_eq!(is_unseen(c), unseen.is_match(&text), "{c:?}");
            assert!(is_unseen(c) || !turns_direction.is_match(&text), "{c:?}");
        }
    }
}
