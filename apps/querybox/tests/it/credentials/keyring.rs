//! The keyring, a real one: entries that others see, moving both ways, and what happens when it is away.

use std::time::{Duration, Instant};

use expect_test::expect;
use querybox_fixtures::Keyring;

use super::{PASSWORD, Site};

fn entries(keyring: &Keyring) -> usize {
    keyring.search(&["service", "QueryBox"]).matches("secret = ").count()
}

#[test]
fn the_keyring_is_the_usual_place_where_there_is_one() {
    let mut site = Site::with_vault();
    let keyring = Keyring::start();
    site.give_keyring(&keyring);
    let url = site.url();
    site.run_with(PASSWORD, &["connections", "add", "shop", &url, "--password-stdin"]).says(
        0,
        expect![[r#"
            saved shop, its password in the keyring; try it with `querybox connections test shop`
        "#]],
    );
    assert_eq!(keyring.lookup(&["service", "QueryBox"]).unwrap(), PASSWORD.as_bytes());
    assert!(keyring.search(&["service", "QueryBox"]).contains("QueryBox: shop, password"));
    assert!(site.logs_in("shop"));

    // It goes with its connection, and with where the connection leads.
    site.run(&["connections", "edit", "shop", "-p", "host=localhost"]).exits(0);
    assert_eq!(entries(&keyring), 0);
    site.run_with(PASSWORD, &["credentials", "set", "shop", "--password-stdin"]).exits(0);
    assert_eq!((entries(&keyring), site.places()), (1, vec!["keyring".to_owned()]));
    site.run(&["connections", "remove", "shop"]).exits(0);
    assert_eq!(entries(&keyring), 0);
}

#[test]
fn secrets_move_both_ways() {
    let mut site = Site::with_vault();
    let keyring = Keyring::start();
    site.give_keyring(&keyring);
    for name in ["one", "two"] {
        site.add(name, "vault");
    }
    site.run(&["credentials", "migrate", "--to", "keyring", "--dry-run"]).exits(0).on_stdout(expect![[r#"
        one: password: would be moved
        two: password: would be moved
    "#]]);
    assert_eq!(site.places(), ["vault", "vault"]);
    site.run(&["credentials", "migrate", "--to", "keyring", "two"]).exits(0);
    assert_eq!(site.places(), ["vault", "keyring"]);
    site.run(&["credentials", "migrate", "--to", "keyring"])
        .exits(0)
        .on_stdout(expect![[r#"
            one: password: moved
            two: password: already there
        "#]])
        .on_stderr(expect![[r#"
            1 secret moved to the keyring
        "#]]);
    assert_eq!((entries(&keyring), site.places()), (2, vec!["keyring".to_owned(), "keyring".to_owned()]));
    assert!(site.logs_in("one") && site.logs_in("two"));
    assert!(site.run(&["connections", "show", "one"]).stdout.contains("in the keyring"));

    site.run(&["credentials", "migrate", "--to", "vault"]).exits(0);
    assert_eq!((entries(&keyring), site.places()), (0, vec!["vault".to_owned(), "vault".to_owned()]));
    assert!(site.logs_in("one") && site.logs_in("two"));
}

#[test]
fn a_keyring_that_is_away_is_told_and_nothing_falls_back() {
    let mut site = Site::with_vault();
    let mut keyring = Keyring::start();
    site.give_keyring(&keyring);
    site.add("shop", "keyring");
    let refused = |args: &[&str], code: i32, message: &str| {
        let began = Instant::now();
        let ran = site.run_with("secret", args).exits(code);
        // The answer is promised within five seconds; the rest is the program's own start on a machine that is busy.
        assert!(began.elapsed() < Duration::from_secs(9), "{args:?} took {:?}", began.elapsed());
        assert_eq!(ran.stderr.lines().next().unwrap(), format!("error: {message}"), "{args:?}");
    };
    let query = ["query", "shop", "select 1"];
    let set = ["credentials", "set", "shop", "--password-stdin"];
    let url = site.url();
    let add = ["connections", "add", "other", &url, "--password-stdin"];

    keyring.lock();
    for args in [&query[..], &set, &add] {
        refused(args, 3, "the keyring is locked");
    }
    keyring.pause();
    refused(&query, 3, "the keyring does not answer");
    keyring.resume();
    keyring.kill();
    refused(&query, 3, "there is no keyring");
    assert_eq!(site.places(), ["keyring"]);
    // Removed while it is away: its entry is remembered, and goes when the keyring is there again.
    let removed = site.run(&["connections", "remove", "shop"]).exits(0);
    assert!(removed.stderr.contains("1 keyring entry could not be removed now"), "{}", removed.stderr);
    assert_eq!(site.status()["keyring_entries_left"], 1);
    keyring.start_daemon();
    assert_eq!(entries(&keyring), 1);
    assert_eq!(site.status()["keyring_entries_left"], 0);
    assert_eq!(entries(&keyring), 0);
}
