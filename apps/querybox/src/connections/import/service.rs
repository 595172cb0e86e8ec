//! `pg_service.conf`: sections of keywords, as libpq reads them.

use querybox_vault::Secret;

use super::{Found, LeadsTo, Line, Skipped};

/// Keywords and the parameters of the driver that they are.
const KEYWORDS: [(&str, &str); 11] = [
    ("host", "host"),
    ("hostaddr", "host"),
    ("port", "port"),
    ("user", "user"),
    ("dbname", "database"),
    ("sslmode", "sslmode"),
    ("sslrootcert", "sslrootcert"),
    ("sslcert", "sslcert"),
    ("sslnegotiation", "sslnegotiation"),
    ("channel_binding", "channel_binding"),
    ("target_session_attrs", "target_session_attrs"),
];

/// Keywords that say nothing of where a connection leads, and how it is trusted.
const HARMLESS: [&str; 6] = [
    "application_name",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "client_encoding",
    "fallback_application_name",
];

/// Other keywords of libpq. A line with one of them can be named; any other may be a password on a line of its own.
const OTHERS: [&str; 27] = [
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "keepalives_count",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "oauth_client_id",
    "oauth_issuer",
    "options",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "requiressl",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslsni",
    "tcp_user_timeout",
];

/// What ends a line, and may stand before it, for libpq: the blanks of C.
const BLANKS: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];

pub(super) fn read(text: &str) -> Vec<Line> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        // As libpq does: blanks around a line do not count, those around the = do.
        let line = line.trim_matches(BLANKS);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // Whatever begins a section ends the one above: what stands below is not that one's.
        if let Some(rest) = line.strip_prefix('[') {
            let name = rest.strip_suffix(']').map(str::trim);
            sections.push(Section { line: number, name, keywords: Vec::new() });
            continue;
        }
        match (line.split_once('='), sections.last_mut()) {
            (Some((keyword, value)), Some(section)) => section.keywords.push((number, keyword, value)),
            _ => lines.push(Err(Skipped { line: number, why: "it is no keyword of a service".to_owned() })),
        }
    }
    lines.extend(sections.into_iter().map(Section::read));
    lines
}

struct Section<'a> {
    line: usize,
    /// `None`: it cannot be told where the name ends.
    name: Option<&'a str>,
    /// With the line that each stands on.
    keywords: Vec<(usize, &'a str, &'a str)>,
}

impl Section<'_> {
    fn read(self) -> Line {
        let Section { line, name, keywords } = self;
        let skip = |why: String| Err(Skipped { line, why });
        let Some(name) = name else {
            return skip(
                "it begins a service and does not end with ]; what stands below it is left out".to_owned(),
            );
        };
        let mut parameters: Vec<(String, String)> = Vec::new();
        let mut password = None;
        for (at, keyword, value) in keywords {
            if keyword == "password" {
                if password.is_some() {
                    return skip(format!("service {name} says its password twice"));
                }
                password = Some(Secret::from(value.to_owned()));
                continue;
            }
            let known = KEYWORDS.iter().find(|(known, _)| *known == keyword);
            match known {
                Some((_, parameter)) if parameters.iter().any(|(name, _)| name == parameter) => {
                    return skip(format!("service {name} says its {parameter} twice"));
                }
                Some((_, parameter)) => parameters.push(((*parameter).to_owned(), value.to_owned())),
                None if HARMLESS.contains(&keyword) => {}
                // It may say how the server is to be trusted: without it the connection would be another one.
                None if OTHERS.contains(&keyword) => {
                    return skip(format!("service {name} has {keyword}, which the driver does not know"));
                }
                None if keyword.ends_with(BLANKS) => {
                    return skip(format!(
                        "service {name} has a blank before the = of line {at}, where PostgreSQL takes none"
                    ));
                }
                None => {
                    return skip(format!(
                        "service {name} has a keyword on line {at} which PostgreSQL does not know"
                    ));
                }
            }
        }
        Ok(Found {
            line,
            name: name.to_owned(),
            leads_to: LeadsTo::Parameters { driver_type: "postgres", parameters },
            password: password.filter(|password| !password.expose().is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_connections() {
        let lines = read(
            "# services\n[shop]\nhost=db.example.org\ndbname=shop\nuser=ada\npassword=se=same\n\
             application_name=psql\n\n[bare]\nhost=/run/postgresql\n",
        );
        let found: Vec<_> = lines.into_iter().map(Result::unwrap).collect();
        assert_eq!((found[0].line, found[0].name.as_str(), found[1].name.as_str()), (2, "shop", "bare"));
        let LeadsTo::Parameters { parameters, .. } = &found[0].leads_to else { panic!("a URL") };
        let pairs: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("host", "db.example.org"), ("database", "shop"), ("user", "ada")]);
        assert_eq!(found[0].password.as_ref().unwrap().expose(), b"se=same");
        assert!(found[1].password.is_none());
    }

    #[test]
    fn blanks_belong_to_a_value_as_for_libpq() {
        let password = |line: &str| read(&format!("[a]\n{line}\n")).remove(0).unwrap().password.unwrap();
        assert_eq!(password("password= a b ").expose(), b" a b");
        assert_eq!(password("\t password=x\t\r").expose(), b"x");
        // No blank for C.
        assert_eq!(password("password=x\u{a0}").expose(), "x\u{a0}".as_bytes());
        assert!(read("[a]\npassword=\n").remove(0).unwrap().password.is_none());
    }

    #[test]
    fn a_section_without_an_end_gives_nothing_to_the_one_above() {
        for heading in ["[staging", "[staging] # comment"] {
            let mut lines = read(&format!("[prod]\nhost=x\n\n{heading}\npassword=canary\n[next]\nhost=y\n"));
            assert_eq!(lines.len(), 3, "{heading}");
            assert!(lines.remove(0).unwrap().password.is_none(), "{heading}");
            let skipped = lines.remove(0).unwrap_err();
            assert!(skipped.line == 4 && skipped.why.contains("does not end"), "{}", skipped.why);
            assert_eq!(lines.remove(0).unwrap().name, "next");
        }
    }

    #[test]
    fn what_would_be_another_connection_is_skipped_with_a_word() {
        let why = |text: &str| read(text).remove(0).unwrap_err().why;
        assert_eq!(why("[a]\nsslkey=/k"), "service a has sslkey, which the driver does not know");
        assert_eq!(
            why("[a]\nhost=x\nhost = y"),
            "service a has a blank before the = of line 3, where PostgreSQL takes none"
        );
        let why_not = why("[a]\nhost=x\ncanary=x");
        assert_eq!(why_not, "service a has a keyword on line 3 which PostgreSQL does not know");
        assert_eq!(why("[a]\nhost=x\nhostaddr=y"), "service a says its host twice");
        assert_eq!(why("[a]\npassword=x\npassword=y"), "service a says its password twice");
        assert_eq!(why("host=x"), "it is no keyword of a service");
        assert!(!why("canary").contains("canary"));
    }
}
