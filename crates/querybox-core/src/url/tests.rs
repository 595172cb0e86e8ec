use std::collections::BTreeSet;

use querybox_launcher::{FieldKind, FileNeed, NetworkNeed};

use super::*;

fn field(name: &str, kind: FieldKind, role: FieldRole) -> FormField {
    FormField {
        name: name.into(),
        label: name.into(),
        secret: role == FieldRole::Password,
        kind,
        role,
        required: false,
        default: None,
        placeholder: String::new(),
        help: String::new(),
    }
}

fn driver(form: Vec<FormField>) -> DriverInfo {
    DriverInfo {
        name: "Test".into(),
        driver_type: "test".into(),
        version: "1".into(),
        description: String::new(),
        license: String::new(),
        icon_name: String::new(),
        capabilities: BTreeSet::new(),
        form,
        network: NetworkNeed::None,
        file: FileNeed::None,
        url_schemes: vec!["test".into()],
        dialect: None,
    }
}

fn network() -> DriverInfo {
    driver(vec![
        field("host", FieldKind::Text, FieldRole::Host),
        field("port", FieldKind::Number, FieldRole::Port),
        field("user", FieldKind::Text, FieldRole::User),
        field("password", FieldKind::Password, FieldRole::Password),
        field("database", FieldKind::Text, FieldRole::Database),
        field("sslmode", FieldKind::Text, FieldRole::Option),
        field("compress", FieldKind::Checkbox, FieldRole::Option),
    ])
}

fn file() -> DriverInfo {
    driver(vec![
        field("path", FieldKind::FilePath, FieldRole::File),
        field("cache", FieldKind::Number, FieldRole::Option),
    ])
}

fn read(url: &str, driver: &DriverInfo) -> Result<String, UrlError> {
    let (_, rest) = scheme(url)?;
    Ok(written(parse(rest, driver)?))
}

fn written(given: Vec<Given>) -> String {
    let pairs = given.into_iter().map(|Given { name, value }| match value {
        GivenValue::Text(text) => format!("{name}={text}"),
        GivenValue::Content(_) => unreachable!("a URL has no content"),
    });
    pairs.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(url: &str, driver: &DriverInfo, expected: &str) {
    assert_eq!(read(url, driver).as_deref(), Ok(expected), "{url}");
}

#[track_caller]
fn refused(url: &str, driver: &DriverInfo, message: &str) {
    let error = read(url, driver).unwrap_err();
    let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    assert_eq!(format!("{error}{source}"), message, "{url}");
    assert!(!format!("{error:?}{error}{source}").contains("canary"), "{url}");
}

#[test]
fn a_file_is_a_path_behind_the_scheme() {
    check("sqlite:/home/ada/shop.db", &file(), "path=/home/ada/shop.db");
    check("sqlite:///home/ada/shop.db", &file(), "path=/home/ada/shop.db");
    check("sqlite:shop.db", &file(), "path=shop.db");
    check("sqlite:./a%20b%3F.db", &file(), "path=./a b?.db");
    check("sqlite:a+b@c#d.db", &file(), "path=a+b@c#d.db");
    check("sqlite:shop.db?cache=10", &file(), "path=shop.db cache=10");
    check("SQLite:caf%C3%A9.db", &file(), "path=café.db");
    check("sqlite:", &file(), "");
    refused(
        "sqlite://server/shop.db",
        &file(),
        "the URL is malformed: a file has no host: write scheme:path or scheme:///path",
    );
}

#[test]
fn a_server_has_user_host_port_and_database() {
    check(
        "postgres://ada@db.example.com:5433/shop?sslmode=require&compress=true",
        &network(),
        "host=db.example.com port=5433 user=ada database=shop sslmode=require compress=true",
    );
    check("postgres://db", &network(), "host=db");
    check("postgres://db/", &network(), "host=db");
    check("postgres:///shop", &network(), "database=shop");
    check("postgres://ada%40home@db", &network(), "host=db user=ada@home");
    check("postgres://[::1]:5432/shop", &network(), "host=::1 port=5432 database=shop");
    check("postgres://[fe80::1%25eth0]/shop", &network(), "host=fe80::1%eth0 database=shop");
    check("postgres://%2Fvar%2Frun/shop", &network(), "host=/var/run database=shop");
    check("postgres://db?sslmode=a%26b+c", &network(), "host=db sslmode=a&b+c");
    check("postgres://db/a%2Fb", &network(), "host=db database=a/b");
}

#[test]
fn a_password_is_refused_and_never_repeated() {
    let message = UrlError::Password.to_string();
    for url in [
        "postgres://ada:canary@db/shop",
        "postgres://ada:@db/shop",
        "postgres://:canary@db",
        "postgres://ada:can/ary@db/shop",
        "postgres://ada:can?ary@db/shop",
        "postgres://ada:c@nary@db/shop",
        "postgres://ada:12/canary@db/shop",
        "postgres://db/shop?password=canary",
        "postgres://db/shop?%70assword=canary",
    ] {
        refused(url, &network(), &message);
    }
}

#[test]
fn what_is_malformed_is_refused_without_its_text() {
    let not_hex = "the URL is malformed: two hexadecimal digits follow each % (a plain % is written %25)";
    for url in
        ["postgres://ada%zz@canary", "postgres://canary%", "postgres://canary%4", "postgres://db/%+1canary"]
    {
        refused(url, &network(), not_hex);
    }
    let port = "the URL is malformed: the port is not a number from 1 to 65535";
    for url in ["postgres://ada:canary", "postgres://db:0", "postgres://db:65536/canary", "postgres://db:+1"]
    {
        refused(url, &network(), port);
    }
    let not_utf8 = "the URL is malformed: what it decodes to is not UTF-8";
    refused("postgres://canary%ff", &network(), not_utf8);
    refused("postgres:canary", &network(), "the URL is malformed: \"//\" and a host follow the scheme");
    refused("postgres://::1", &network(), "the URL is malformed: an IPv6 address stands in brackets");
    refused("postgres://[::1", &network(), "the URL is malformed: a \"[\" is not closed");
    refused(
        "postgres://[::1]canary",
        &network(),
        "the URL is malformed: a port follows \"]\" behind a colon",
    );
    refused(
        "postgres://db?canary",
        &network(),
        "the URL is malformed: an option has no value: write name=value",
    );
}

#[test]
fn several_hosts_are_one_value_with_a_port_for_each() {
    check(
        "postgres://u@h1:5432,h2:5433/db?sslmode=require",
        &network(),
        "host=h1:5432,h2:5433 user=u database=db sslmode=require",
    );
    check("postgres://h1,[::1]:5433,[fe80::2]/db", &network(), "host=h1,[::1]:5433,fe80::2 database=db");
    check("postgres://%2Frun%2Fpg,h2", &network(), "host=/run/pg,h2");
    let malformed = |what: &str| format!("the URL is malformed: {what}");
    refused("postgres://h1,,canary", &network(), &malformed("one of the hosts has no name"));
    refused("postgres://h1,:5432", &network(), &malformed("one of the hosts has no name"));
    refused("postgres://h1,canary%2Ch2", &network(), &malformed("one of the hosts has a comma in its name"));
    refused(
        "postgres://h1,%2Fcanary:5432",
        &network(),
        &malformed("a socket among several hosts has no port of its own"),
    );
    refused("postgres://h1:x,h2", &network(), &malformed("the port is not a number from 1 to 65535"));
    refused("postgres://ada:canary@h1,h2", &network(), &UrlError::Password.to_string());

    let list = |text: &str| bare(text, &[network()]);
    assert_eq!(list("host=h1,h2 port=5432,5433 user=u").as_deref(), Ok("host=h1:5432,h2:5433 user=u"));
    assert_eq!(list("port=5433 host=h1,h2").as_deref(), Ok("port=5433 host=h1,h2"));
    let mismatch = UrlError::Malformed("there are as many ports as hosts, or one for all");
    for text in ["host=h1,h2,h3 port=1,2", "user=u port=1,2 host=", "host=h1,h2 port=1,x"] {
        assert_eq!(list(text), Err(mismatch.clone()), "{text}");
    }
}

#[test]
fn an_option_is_a_field_of_the_form_and_comes_once() {
    let option = |problem: &str| format!("the URL's option does not fit: parameter {problem}");
    refused("postgres://db?ssl=canary", &network(), &option(r#""ssl" is not one of this driver's"#));
    refused("postgres://db?host=canary", &network(), &option(r#""host" is given twice"#));
    refused("postgres://db?compress=canary", &network(), &option(r#""compress" is neither true nor false"#));
    refused(
        "postgres://db?sslmode=a%0Acanary",
        &network(),
        &option(r#""sslmode" is more than one line, or holds a zero byte"#),
    );
    let no_user = driver(vec![field("host", FieldKind::Text, FieldRole::Host)]);
    refused("redis://canary@db", &no_user, "a URL of this driver has no user");
}

#[test]
fn keywords_go_where_their_roles_are() {
    let list = "host=db.example.com port=5433 user=ada dbname='my shop' sslmode=require";
    let expected = "host=db.example.com port=5433 user=ada database=my shop sslmode=require";
    check(&format!("postgres:{list}"), &network(), expected);
    assert_eq!(bare(list, &[file(), network()]).as_deref(), Ok(expected));
    assert_eq!(bare("database=shop host=", &[network()]).as_deref(), Ok("database=shop"));
    refused(
        "sqlite:host=canary",
        &driver(Vec::new()),
        "the URL is malformed: \"//\" and a host follow the scheme",
    );
    // A file may be called so.
    check("sqlite:host=a.db", &file(), "path=host=a.db");
}

#[test]
fn a_password_among_keywords_is_refused_and_never_repeated() {
    let no_password = driver(vec![field("host", FieldKind::Text, FieldRole::Host)]);
    for drivers in [vec![network()], vec![no_password.clone()], vec![network(), no_password]] {
        assert_eq!(bare("host=db password=canary", &drivers), Err(UrlError::Password));
        assert_eq!(bare("PASSWORD='canary' host=db", &drivers), Err(UrlError::Password));
    }
    refused("postgres:host=db password=canary", &network(), &UrlError::Password.to_string());
}

#[test]
fn keywords_without_a_scheme_are_for_the_only_driver_that_takes_them() {
    let other = driver(vec![
        field("host", FieldKind::Text, FieldRole::Host),
        field("charset", FieldKind::Text, FieldRole::Option),
    ]);
    assert_eq!(bare("host=db", &[file()]), Err(UrlError::NoKeywords));
    assert_eq!(bare("host=db charset=x", &[network(), other.clone()]).as_deref(), Ok("host=db charset=x"));
    let error = bare("host=db", &[network(), other]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "several drivers take these keywords: write \"test:\" or \"test:\" before them"
    );
    let error = bare("host=db hostaddr=canary", &[network()]).unwrap_err();
    assert!(!format!("{error:?}").contains("canary"));
    assert!(matches!(error, UrlError::Option(_)));
}

/// Keywords without a scheme, of which one of the drivers is taken.
fn bare(text: &str, drivers: &[DriverInfo]) -> Result<String, UrlError> {
    assert!(is_keywords(text), "{text}");
    parse_bare_keywords(text, drivers.iter()).map(|(_, given)| written(given))
}

#[test]
fn a_url_begins_with_a_scheme() {
    for text in ["", "canary", "/home/canary", ":canary", "1a:canary", "a b:canary", "../a:canary"] {
        assert_eq!(scheme(text), Err(UrlError::NoScheme), "{text}");
    }
    assert_eq!(scheme("PostgreSQL://db"), Ok(("postgresql".to_owned(), "//db")));
}
