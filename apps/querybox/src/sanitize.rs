//! Text from a database or a driver, made safe to show on a terminal.
//!
//! Control characters move the cursor, change colors, answer back as if typed; bidirectional controls make text read as
//! what it is not. Both are shown as escapes: `\n`, `\x1b`, `\u{202e}`. Everything else stands as it is.

use std::{borrow::Cow, fmt::Write};

use unicode_width::UnicodeWidthChar;

/// One line: every control character is shown as its escape.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_hidden) {
        let mut safe = String::with_capacity(text.len() + 8);
        push_line(&mut safe, text);
        Cow::Owned(safe)
    } else {
        Cow::Borrowed(text)
    }
}

/// Several lines: as [`line`], but line ends stay and tabs become spaces.
pub(crate) fn lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (index, part) in text.split('\n').enumerate() {
        if index > 0 {
            safe.push('\n');
        }
        let part = part.strip_suffix('\r').unwrap_or(part);
        push_line(&mut safe, &part.replace('\t', "    "));
    }
    safe
}

/// Appends `text` as [`line`] shows it.
pub(crate) fn push_line(out: &mut String, text: &str) {
    for c in text.chars() {
        push_char(out, c);
    }
}

/// Appends one character, or its escape.
pub(crate) fn push_char(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c.is_ascii_control() => write!(out, "\\x{:02x}", u32::from(c)).expect("a String takes any text"),
        c if is_hidden(c) => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a String takes any text"),
        c => out.push(c),
    }
}

/// Whether a terminal would obey the character instead of showing it.
pub(crate) fn is_hidden(c: char) -> bool {
    match c {
        // C0, DEL, C1: a C1 byte starts an escape sequence on its own.
        c if c.is_control() => true,
        // Bidirectional marks, embeddings, overrides, isolates.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => true,
        // Line and paragraph separators, byte order mark, interlinear annotations.
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        _ => false,
    }
}

/// The longest start of `text` that takes at most `width` columns.
///
/// Counts characters one by one, so that a joined emoji may take fewer columns than were counted, never more.
pub(crate) fn prefix_of_width(text: &str, width: usize) -> &str {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        // A control character has no width; its escape has at least this one.
        taken += c.width().unwrap_or(1);
        if taken > width {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        let check = |input: &str, expected: &str| assert_eq!(line(input), expected);
        check("plain ünïcode 日本 👩‍👩‍👧", "plain ünïcode 日本 👩‍👩‍👧");
        check("a\nb\tc\r", "a\\nb\\tc\\r");
        check("\x1b]0;title\x07\x1b[31m", "\\x1b]0;title\\x07\\x1b[31m");
        check("\u{9b}31m", "\\u{9b}31m");
        check("\u{202e}gnp.exe", "\\u{202e}gnp.exe");
        check("\u{2066}a\u{2069}\u{feff}", "\\u{2066}a\\u{2069}\\u{feff}");
        check("\x00\x7f", "\\x00\\x7f");
    }

    #[test]
    fn nothing_hidden_is_left_whatever_comes_in() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let mut out = String::new();
            push_char(&mut out, c);
            assert!(!out.chars().any(is_hidden), "{c:?}");
        }
    }

    #[test]
    fn lines_keep_their_ends() {
        assert_eq!(lines("one\r\n\ttwo\x1b"), "one\n    two\\x1b");
    }

    #[test]
    fn a_prefix_never_splits_a_wide_character() {
        assert_eq!(prefix_of_width("日本語", 5), "日本");
        assert_eq!(prefix_of_width("abc", 3), "abc");
        assert_eq!(prefix_of_width("abc", 0), "");
    }
}
