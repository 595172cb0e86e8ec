//! A file of URLs, one a line. A password in one is taken out before anything else reads it.

use querybox_vault::Secret;

use super::{Found, LeadsTo, Line, Skipped};

pub(super) fn read(text: &str) -> Vec<Line> {
    (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| read_line(number, line))
        .collect()
}

fn read_line(line: usize, url: &str) -> Line {
    let skip = |why: &str| Err(Skipped { line, why: why.to_owned() });
    if url.split('?').skip(1).any(|query| {
        query.split('&').any(|option| option.split('=').next().is_some_and(|name| name.contains("pass")))
    }) {
        return skip("it has a password among its options; write it as USER:PASSWORD@HOST");
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return match url.split_once(':') {
            // A file, for instance.
            Some((_, path)) => Ok(found(line, base_name(path), url.to_owned(), None)),
            None => skip("it is no URL"),
        };
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let Some((user_info, host)) = authority.rsplit_once('@') else {
        // What reads like the host and the port then is the user and the beginning of the password.
        let path = behind.split(['?', '#']).next().unwrap_or_default();
        if path.contains('@') || authority.contains(':') && behind.contains('@') {
            return skip("it has an @ behind its host; write /, ? and # in a password as %2F, %3F and %23");
        }
        return Ok(found(line, name_of(None, authority, behind), url.to_owned(), None));
    };
    let (user, password) = match user_info.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (user_info, None),
    };
    let name = name_of(Some(user), host, behind);
    let password = match password.map(decoded) {
        None => None,
        Some(Some(password)) if password.expose().is_empty() => None,
        Some(Some(password)) => Some(password),
        Some(None) => return skip("its password has a % that begins no escape"),
    };
    Ok(found(line, name, format!("{scheme}://{user}@{host}{behind}"), password))
}

fn found(line: usize, name: String, url: String, password: Option<Secret>) -> Found {
    Found { line, name, leads_to: LeadsTo::Url(url), password }
}

/// For people: `ada@db.example.org shop`.
fn name_of(user: Option<&str>, host: &str, behind: &str) -> String {
    let host = host.split(':').next().unwrap_or(host);
    let host = if host.is_empty() { "localhost" } else { host };
    let database = behind.trim_start_matches('/').split(['?', '#']).next().unwrap_or_default();
    let mut name = user.filter(|user| !user.is_empty()).map(|user| format!("{user}@")).unwrap_or_default();
    name.push_str(host);
    if !database.is_empty() {
        name.push(' ');
        name.push_str(database);
    }
    name
}

fn base_name(path: &str) -> String {
    let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// Percent escapes. `None`: one is broken.
fn decoded(text: &str) -> Option<Secret> {
    let bytes = text.as_bytes();
    // As long as it can be, so that no copy is left behind by growing.
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            plain.push(byte);
            at += 1;
            continue;
        }
        let digits =
            text.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(value) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            drop(Secret::new(plain));
            return None;
        };
        plain.push(value);
        at += 3;
    }
    Some(Secret::new(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, name: &str, url: &str, password: Option<&str>) {
        let found = read(line).remove(0).unwrap();
        assert_eq!((found.name.as_str(), found.leads_to), (name, LeadsTo::Url(url.to_owned())));
        assert_eq!(found.password.as_ref().map(Secret::expose), password.map(str::as_bytes));
    }

    #[test]
    fn a_password_is_taken_out() {
        check(
            "postgres://ada:se%40same@db.example.org:5433/shop?sslmode=require",
            "ada@db.example.org shop",
            "postgres://ada@db.example.org:5433/shop?sslmode=require",
            Some("se@same"),
        );
        check("postgres://ada:@db/shop", "ada@db shop", "postgres://ada@db/shop", None);
        check("postgres://db/shop", "db shop", "postgres://db/shop", None);
        check("postgres:///shop", "localhost shop", "postgres:///shop", None);
        check("postgres://ada:a@b@db/shop", "ada@db shop", "postgres://ada@db/shop", Some("a@b"));
        check("postgres://db/shop?user=a@b", "db shop", "postgres://db/shop?user=a@b", None);
        check("sqlite:/data/shop.db?create=true", "shop.db", "sqlite:/data/shop.db?create=true", None);
    }

    #[test]
    fn what_cannot_be_read_is_skipped_without_its_text() {
        for line in [
            "canary",
            "postgres://ada:canary%zz@db/shop",
            "postgres://db/shop?password=canary",
            "postgres://ada:5432/canary@db/shop",
            "postgres://ada:1?canary@db/shop",
            "postgres://ada:1#canary@db/shop",
        ] {
            let skipped = read(line).remove(0).unwrap_err();
            assert!(!skipped.why.contains("canary"), "{}", skipped.why);
        }
        assert!(read("# comment\n\n").is_empty());
    }

    #[test]
    fn nothing_that_is_printed_shows_a_password() {
        assert!(!format!("{:?}", read("postgres://ada:canary@db/shop")).contains("canary"));
    }
}
