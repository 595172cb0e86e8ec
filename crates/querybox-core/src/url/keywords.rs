//! Keywords with their values, as libpq writes them: `host=db.example.com port=5433 dbname='my shop'`.

use super::UrlError;

/// Whether the text begins as such a list: a word and an equals sign.
pub(super) fn is_list(text: &str) -> bool {
    let text = text.trim_start();
    let end = text.find(|c: char| !is_of_word(c)).unwrap_or(text.len());
    end > 0 && text[end..].trim_start().starts_with('=')
}

/// Reads the list, in its order. A value holds spaces in single quotes; a backslash takes the next character as it is.
pub(super) fn read(text: &str) -> Result<Vec<(String, String)>, UrlError> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let value = behind.trim_start().strip_prefix('=').filter(|_| !word.is_empty());
        let value = value.ok_or(UrlError::Malformed("keywords are written name=value, parted by spaces"))?;
        let (value, behind) = split_value(value.trim_start())?;
        pairs.push((word.to_ascii_lowercase(), value));
        rest = behind.trim_start();
    }
    Ok(pairs)
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The value that the text begins with, and what stands behind it.
fn split_value(text: &str) -> Result<(String, &str), UrlError> {
    let quoted = text.strip_prefix('\'');
    let text = quoted.unwrap_or(text);
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                let (_, next) = chars.next().ok_or(UrlError::Malformed("it ends with a backslash"))?;
                value.push(next);
            }
            '\'' if quoted.is_some() => {
                let behind = &text[at + 1..];
                if !behind.is_empty() && !behind.starts_with(char::is_whitespace) {
                    return Err(UrlError::Malformed("a space follows a value in quotes"));
                }
                return Ok((value, behind));
            }
            c if quoted.is_none() && c.is_whitespace() => return Ok((value, &text[at..])),
            c => value.push(c),
        }
    }
    match quoted {
        Some(_) => Err(UrlError::Malformed("a value's quotes are not closed")),
        None => Ok((value, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        assert!(is_list(text), "{text}");
        let pairs = read(text).unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, expected, "{text}");
    }

    #[test]
    fn values_are_words_or_stand_in_quotes() {
        check("host=db port=5432", &[("host", "db"), ("port", "5432")]);
        check("  host = db\n\tdbname='my shop'  ", &[("host", "db"), ("dbname", "my shop")]);
        check(r"user=a\ b dbname='it\'s \\'", &[("user", "a b"), ("dbname", r"it's \")]);
        check("host='' port=", &[("host", ""), ("port", "")]);
        check("HOST=::1 options=a=b", &[("host", "::1"), ("options", "a=b")]);
    }

    #[test]
    fn what_is_malformed_is_refused_without_its_text() {
        let refused = |text: &str, why: &'static str| {
            assert_eq!(read(text), Err(UrlError::Malformed(why)), "{text}");
        };
        refused("host=db canary", "keywords are written name=value, parted by spaces");
        refused("host=db =canary", "keywords are written name=value, parted by spaces");
        refused("host='canary", "a value's quotes are not closed");
        refused("host='a'canary", "a space follows a value in quotes");
        refused("host=canary\\", "it ends with a backslash");
    }

    #[test]
    fn other_texts_are_no_lists() {
        for text in ["", "postgres://db", "sqlite:a=b.db", "=x", "a b=c", "/tmp/a=b"] {
            assert!(!is_list(text), "{text}");
        }
    }
}
