//! Arrays of texts in the server's text form, to it and from it.

/// An array of the server.
pub(super) fn write(texts: &[String]) -> String {
    write_optional(texts.iter().map(|text| Some(text.as_str())))
}

/// The same with NULLs.
pub(super) fn write_optional<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> String {
    let quoted = texts.map(|text| match text {
        Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        None => "NULL".to_owned(),
    });
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// The texts of an array of one dimension; NULL is an empty one.
pub(super) fn parse(array: &str) -> Vec<String> {
    let inside = array.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let mut texts = Vec::new();
    if inside.is_empty() {
        return texts;
    }
    let (mut text, mut is_quoted, mut was_quoted) = (String::new(), false, false);
    let mut chars = inside.chars();
    loop {
        match chars.next() {
            Some('\\') => text.extend(chars.next()),
            Some('"') => (is_quoted, was_quoted) = (!is_quoted, true),
            Some(c) if is_quoted || c != ',' => text.push(c),
            end => {
                let is_null = !was_quoted && text.eq_ignore_ascii_case("null");
                let whole = std::mem::take(&mut text);
                texts.push(if is_null { String::new() } else { whole });
                was_quoted = false;
                if end.is_none() {
                    return texts;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_in_an_array() {
        let names = ["plain".to_owned(), r#"a"b\c,d"#.to_owned(), String::new()];
        assert_eq!(write(&names), r#"{"plain","a\"b\\c,d",""}"#);
    }

    #[test]
    fn what_was_written_is_read() {
        let names = ["plain", r#"a"b\c,d"#, "", "null", "{}", "a\nb"].map(str::to_owned);
        assert_eq!(parse(&write(&names)), names);
        assert_eq!(parse(r#"{a,"b,c",NULL,"NULL","d\"e"}"#), ["a", "b,c", "", "NULL", "d\"e"]);
        assert!(parse("{}").is_empty());
        assert!(parse("").is_empty());
    }
}
