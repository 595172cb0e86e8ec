//! A command in one line, taken apart without a shell.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// The rule, for people.
pub(super) const HINT: &str = "words are parted by spaces; quotes of either kind hold a word together, and a backslash \
                               outside of single quotes takes the next character as it is; nothing else has a meaning";

/// Takes a line apart: words are parted by white space. What stands in single quotes is taken as it is. In double quotes, and
/// outside of quotes, a backslash takes the next character as it is. There are no variables, patterns, pipes or comments.
///
/// The error completes "the line …".
pub(super) fn split(line: &OsStr) -> Result<Vec<OsString>, &'static str> {
    let mut words = Vec::new();
    // A word may be empty when it is quoted.
    let mut word: Option<Vec<u8>> = None;
    let mut quote: Option<u8> = None;
    let mut bytes = line.as_bytes().iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None | Some(b'"'), b'\\') => {
                let next = bytes.next().ok_or("ends with a backslash")?;
                word.get_or_insert_default().push(next);
            }
            (None, byte) if byte.is_ascii_whitespace() => words.extend(word.take()),
            (_, byte) => word.get_or_insert_default().push(byte),
        }
    }
    if quote.is_some() {
        return Err("has a quote that does not end");
    }
    words.extend(word);
    match words.first() {
        None => Err("is empty"),
        Some(program) if program.is_empty() => Err("names no program"),
        Some(_) => Ok(words.into_iter().map(OsString::from_vec).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<&[&str], &str>) {
        let words = split(OsStr::new(line));
        let expected = expected.map(|words| words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(words, expected, "{line}");
    }

    #[test]
    fn words_are_parted_as_documented() {
        check("vault read -field=key secret/qb", Ok(&["vault", "read", "-field=key", "secret/qb"]));
        check("  op \t read\n'op://a vault/key' ", Ok(&["op", "read", "op://a vault/key"]));
        check(r#"a "b \"c\" \\ 'd'" e\ f"#, Ok(&["a", r#"b "c" \ 'd'"#, "e f"]));
        check(r"a 'b\c' ''", Ok(&["a", r"b\c", ""]));
        check(r#"a b'c'"d"e"#, Ok(&["a", "bcde"]));
        check("a $HOME * | b; # c", Ok(&["a", "$HOME", "*", "|", "b;", "#", "c"]));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        check("", Err("is empty"));
        check(" \n", Err("is empty"));
        check("'' a", Err("names no program"));
        check("a 'b", Err("has a quote that does not end"));
        check("a \"b'", Err("has a quote that does not end"));
        check("a \\", Err("ends with a backslash"));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let line = OsStr::from_bytes(b"a \xff\xfe");
        assert_eq!(split(line).unwrap()[1].as_bytes(), b"\xff\xfe");
    }
}
