//! The vault: a master key, passwords under it, and its rotation.

use expect_test::expect;

use super::{PASSWORD, Site};

/// The ids of keys, in the order of `keys status`.
fn key_ids(site: &Site) -> Vec<String> {
    let listed = site.run(&["keys", "status", "--json"]).exits(0).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    listed["keys"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_password_is_kept_and_used_without_asking() {
    let site = Site::with_vault();
    site.add("shop", "vault").on_stderr(expect![[r#"
        saved shop, its password in the vault; try it with `querybox connections test shop`
    "#]]);
    site.run(&["query", "shop", "select current_user"]).exits(0).on_stdout(expect![[r#"
        current_user
        ada
    "#]]);
    site.run(&["credentials", "test", "shop"]).exits(0);
    site.run(&["schema", "shop"]).exits(0);
    assert!(site.run(&["connections", "show", "shop"]).stdout.contains("in the vault"));
    let exported = site.run(&["connections", "export", "shop"]).exits(0).stdout;
    assert!(exported.contains("secret = \"vault\"") && !exported.contains(PASSWORD), "{exported}");

    // Another one for one run, and another one from now on.
    site.run_with("wrong", &["query", "shop", "select 1", "--password-stdin"]).exits(1);
    assert!(site.logs_in("shop"));
    site.run_with("wrong", &["credentials", "set", "shop", "--password-stdin"]).says(
        0,
        expect![[r#"
            the password of shop is kept in the vault
        "#]],
    );
    assert!(!site.logs_in("shop"));
    site.run(&["credentials", "delete", "shop"]).says(
        0,
        expect![[r#"
            forgot the password of shop
        "#]],
    );
    site.run(&["query", "shop", "select 1"]).says(
        2,
        expect![[r#"
            error: no password is stored for this connection
             hint: `querybox credentials set CONNECTION` stores it; `--password-stdin` gives it for this run alone
        "#]],
    );
}

#[test]
fn a_connection_that_leads_elsewhere_loses_its_password() {
    let site = Site::with_vault();
    site.add("shop", "vault");
    site.run(&["connections", "edit", "shop", "-p", "database=postgres", "--color", "red"]).says(
        0,
        expect![[r#"
            changed shop
        "#]],
    );
    assert!(site.logs_in("shop"));
    site.run(&["connections", "edit", "shop", "-p", "host=localhost"]).says(
        0,
        expect![[r#"
            changed shop
            warning: its stored password was dropped, for it leads elsewhere now (host); `querybox credentials set shop` stores a new one
        "#]],
    );
    assert_eq!(site.places(), [""; 0]);
    site.run_with(PASSWORD, &["connections", "edit", "shop", "-p", "host=127.0.0.1", "--password-stdin"])
        .says(
            0,
            expect![[r#"
            changed shop
            its password is kept in the vault
        "#]],
        );
    assert!(site.logs_in("shop"));
    // TLS counts as well.
    let edited = site.run(&["connections", "edit", "shop", "-p", "sslmode=require"]).exits(0);
    assert!(edited.stderr.contains("(sslmode)"), "{}", edited.stderr);
}

#[test]
fn without_a_place_nothing_is_kept_and_nothing_is_saved() {
    let site = Site::start();
    let add = |keep: &[&str]| {
        let url = site.url();
        let args = [&["connections", "add", "shop", url.as_str(), "--password-stdin"], keep].concat();
        site.run_with(PASSWORD, &args)
    };
    add(&[]).says(
        2,
        expect![[r#"
            error: there is no place for a secret: there is no keyring, and no source of a master key is configured
             hint: unlock or install a keyring (a Secret Service such as gnome-keyring), or run `querybox keys init` to have a vault; `--keep ask` keeps no password
        "#]],
    );
    assert_eq!(
        add(&["--keep", "vault"]).exits(2).stderr.lines().next().unwrap(),
        "error: no source of a master key is configured"
    );
    assert_eq!(
        add(&["--keep", "keyring"]).exits(3).stderr.lines().next().unwrap(),
        "error: there is no keyring"
    );
    add(&["--keep", "ask"]).says(
        2,
        expect![[r#"
            error: a password is given, and `--keep` says to keep none
             hint: leave `--password-stdin` out, or keep it in the keyring or the vault
        "#]],
    );
    let list = site.run(&["connections", "list", "--json"]).exits(0).stdout;
    assert_eq!(list.trim(), "[]");
}

#[test]
fn a_key_is_rotated_by_the_book() {
    let mut site = Site::with_vault();
    let old = std::fs::read_to_string(site.key_file()).unwrap();
    for name in ["one", "two", "three"] {
        site.add(name, "vault");
    }
    let added = site.run(&["keys", "add"]).exits(0);
    let new = added.stdout.trim().to_owned();
    assert_eq!(new.len(), 44, "{added:?}");
    let [old_id, new_id] = <[String; 2]>::try_from(key_ids(&site)).unwrap();
    // Everything goes on before the source has the new key, and after.
    assert!(site.logs_in("one"));
    site.source_says(&[&new, &old]);
    assert!(site.logs_in("one"));
    let refused = site.run(&["keys", "retire", &old_id]).exits(2);
    // The key of the history's statements is the fourth.
    assert!(refused.stderr.contains("4 secrets are sealed under it"), "{}", refused.stderr);

    let rotated = site.run(&["keys", "rotate"]).exits(0);
    let expected = format!("sealed 4 secrets anew; 4 secrets open under key {new_id}\n");
    assert!(rotated.stderr.starts_with(&expected), "{}", rotated.stderr);
    let again = site.run(&["keys", "rotate"]).exits(0);
    assert!(again.stderr.starts_with("nothing had to be sealed anew; 4 secrets open"), "{}", again.stderr);
    let status = site.run(&["keys", "status"]).exits(0).stdout;
    assert!(status.contains("decrypt-only, can be retired"), "{status}");
    site.run(&["keys", "retire", &old_id]).exits(0);
    site.source_says(&[&new]);
    assert!(["one", "two", "three"].iter().all(|name| site.logs_in(name)));
    assert!(site.run(&["keys", "retire", &new_id]).code == 2);
    site.source_says(&[&old]);
    let refused = site.run(&["query", "one", "select 1"]).exits(2);
    assert!(refused.stderr.contains("is retired"), "{}", refused.stderr);
}

#[test]
fn a_key_on_the_disk_is_asked_for_by_name_and_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;

    let site = Site::start();
    let init = site.run(&["keys", "init", "--keep-on-disk"]).exits(0);
    assert!(init.stdout.is_empty() && init.stderr.starts_with("warning: the master key lies in"), "{init:?}");
    let path = site.house.home().join("master.key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    site.add("shop", "vault");
    site.run(&["keys", "add"]).exits(0);
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    site.run(&["keys", "rotate"]).exits(0);
    assert!(site.logs_in("shop"));
    let again = site.run(&["keys", "init"]).exits(2);
    assert!(again.stderr.starts_with("error: keys are registered already"), "{}", again.stderr);
}

#[test]
fn rows_that_were_moved_or_changed_do_not_open() {
    let site = Site::with_vault();
    site.add("one", "vault");
    site.add("two", "vault");
    let store = rusqlite::Connection::open(site.house.home().join("store.db")).unwrap();
    let attacks = [
        // Each secret in the place of the other.
        "CREATE TEMP TABLE held AS SELECT connection_id, sealed FROM credential;
         UPDATE credential SET sealed = (SELECT sealed FROM held
                                         WHERE held.connection_id <> credential.connection_id)",
        "UPDATE credential SET sealed = zeroblob(length(sealed))",
        "UPDATE credential SET sealed = substr(sealed, 1, length(sealed) - 1)",
        // A version that there is not.
        "UPDATE credential SET sealed = CAST(substr(sealed, 1, 3) || x'02' || substr(sealed, 5) AS BLOB)",
        "UPDATE meta SET store_id = randomblob(16)",
    ];
    for attack in attacks {
        store.execute_batch(attack).unwrap();
        let before = site.status();
        for name in ["one", "two"] {
            let ran = site.run(&["query", name, "select 1"]).exits(3);
            assert!(
                ran.stderr.starts_with("error: the stored password of this connection cannot be opened"),
                "{attack}: {}",
                ran.stderr
            );
        }
        // Rotation names them and leaves them as they are.
        let rotated = site.run(&["keys", "rotate"]).exits(3);
        assert!(rotated.stderr.contains("the password of one does not open"), "{attack}: {}", rotated.stderr);
        let after = site.status();
        assert_eq!(before["credentials"][0]["key"], after["credentials"][0]["key"]);
        if attack.contains("meta") {
            break;
        }
        for name in ["one", "two"] {
            site.run_with(PASSWORD, &["credentials", "set", name, "--password-stdin"]).exits(0);
            assert!(site.logs_in(name));
        }
    }
}
