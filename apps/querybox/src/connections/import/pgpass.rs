//! `.pgpass`: HOST:PORT:DATABASE:USER:PASSWORD, where `\:` and `\\` stand for themselves and `*` for anything.

use querybox_vault::Secret;

use super::{Found, LeadsTo, Line, Skipped};

pub(super) fn read(text: &str) -> Vec<Line> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(number, line)| read_line(number, line))
        .collect()
}

fn read_line(line: usize, text: &str) -> Line {
    let skip = |why: &str| Err(Skipped { line, why: why.to_owned() });
    let mut rest = text;
    let mut fields = Vec::new();
    for _ in 0..4 {
        let Some((field, behind)) = field(rest) else { return skip("it has not five fields") };
        fields.push(field);
        rest = behind;
    }
    // As libpq reads it: the password ends with the line, or with a colon that is not escaped.
    let (password, _) = field(rest).unwrap_or_else(|| (unescaped(rest), ""));
    let password = (!password.is_empty()).then(|| Secret::from(password));
    let Ok([host, port, database, user]) = <[String; 4]>::try_from(fields) else {
        return skip("it has not five fields");
    };
    if [&host, &port, &user].into_iter().any(|field| field == "*") {
        return skip("it stands for any host, port or user, and a connection leads to one");
    }
    let Some(password) = password else { return skip("it has no password") };
    let mut parameters = vec![("host".to_owned(), host.clone()), ("user".to_owned(), user.clone())];
    if !port.is_empty() {
        parameters.push(("port".to_owned(), port));
    }
    // A password for any database of a server; the user's own is the one that libpq would choose too.
    let mut name = format!("{user}@{host}");
    if database != "*" && !database.is_empty() {
        name = format!("{name} {database}");
        parameters.push(("database".to_owned(), database));
    }
    Ok(Found {
        line,
        name,
        leads_to: LeadsTo::Parameters { driver_type: "postgres", parameters },
        password: Some(password),
    })
}

/// What stands before the first colon that is not escaped, and what stands behind it.
fn field(text: &str) -> Option<(String, &str)> {
    let mut is_escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            ':' => return Some((unescaped(&text[..at]), &text[at + 1..])),
            _ => {}
        }
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            // At the end it escapes nothing, and stands for itself.
            '\\' => plain.push(characters.next().unwrap_or('\\')),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, name: &str, parameters: &[(&str, &str)], password: &str) {
        let found = read(line).remove(0).unwrap();
        assert_eq!(found.name, name);
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let LeadsTo::Parameters { driver_type, parameters: mut given } = found.leads_to else {
            panic!("a URL")
        };
        given.sort();
        assert_eq!((driver_type, given), ("postgres", parameters));
        assert_eq!(found.password.unwrap().expose(), password.as_bytes());
    }

    #[test]
    fn lines_are_read_as_libpq_reads_them() {
        check(
            "db.example.org:5433:shop:ada:se:same",
            "ada@db.example.org shop",
            &[("database", "shop"), ("host", "db.example.org"), ("port", "5433"), ("user", "ada")],
            "se",
        );
        check(
            r"fe80\:\:1:5432:*:a\\b:p\:w\\\x",
            r"a\b@fe80::1",
            &[("host", "fe80::1"), ("port", "5432"), ("user", r"a\b")],
            r"p:w\x",
        );
        check(
            r"db:5432:shop:ada:end\",
            "ada@db shop",
            &[("database", "shop"), ("host", "db"), ("port", "5432"), ("user", "ada")],
            r"end\",
        );
    }

    #[test]
    fn what_is_no_single_connection_is_skipped_with_a_word() {
        let skipped = |line: &str| read(line).remove(0).unwrap_err().why;
        for line in ["*:5432:shop:ada:x", "h:*:shop:ada:x", "h:5432:shop:*:x"] {
            assert!(skipped(line).contains("any host"), "{line}");
        }
        assert_eq!(skipped("h:5432:shop:ada"), "it has not five fields");
        assert_eq!(skipped("h:5432:shop:ada:"), "it has no password");
        assert!(read("# h:1:d:u:p\n\n").is_empty());
    }

    #[test]
    fn nothing_that_is_printed_shows_a_password() {
        let lines = read("h:5432:shop:ada:canary\nh:5432:canary");
        assert!(!format!("{:?}", lines[0]).contains("canary"));
        assert!(!lines[1].as_ref().unwrap_err().why.contains("canary"));
    }
}
