//! Connections from files of other programs.

use std::fs;

use expect_test::expect;

use super::{PASSWORD, Site};

#[test]
fn connections_come_with_their_passwords() {
    let site = Site::with_vault();
    let port = site.server.port();
    let write = |name: &str, text: String| {
        let path = site.house.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let pgpass = write(
        ".pgpass",
        format!(
            "# mine\n127.0.0.1:{port}:postgres:ada:{PASSWORD}\n*:*:*:ada:{PASSWORD}\nno line\n127.0.0.1:{port}:postgres:ada:{PASSWORD}\n"
        ),
    );
    let dry = site.run(&["connections", "import", &pgpass, "--dry-run"]).exits(0);
    assert!(
        dry.stdout.contains("ada@127.0.0.1 postgres: would be imported, with its password"),
        "{}",
        dry.stdout
    );
    assert_eq!(site.run(&["connections", "list", "--json"]).stdout.trim(), "[]");
    let imported =
        site.run(&["connections", "import", &pgpass, "--keep", "vault", "--folder", "old"]).exits(0);
    assert!(!imported.stdout.contains(PASSWORD) && !imported.stderr.contains(PASSWORD));
    imported
        .on_stdout(expect![[r#"
            <house>/.pgpass:2: ada@127.0.0.1 postgres: imported, its password in the vault
            <house>/.pgpass:3: skipped: it stands for any host, port or user, and a connection leads to one
            <house>/.pgpass:4: skipped: it has not five fields
            <house>/.pgpass:5: skipped: ada@127.0.0.1 postgres leads there already
        "#]])
        .on_stderr(expect![[r#"
            1 connection imported, 3 skipped, 0 failed
        "#]]);
    assert!(site.logs_in("ada@127.0.0.1 postgres"));

    let service = write(
        "pg_service.conf",
        format!(
            "[shop]\nhost=127.0.0.1\nport={port}\nuser=ada\ndbname=template1\npassword={PASSWORD}\n[odd]\nsslkey=/k\n"
        ),
    );
    let imported = site.run(&["connections", "import", &service, "--keep", "vault"]).exits(0);
    assert!(
        imported.stdout.contains("[odd]") || imported.stdout.contains("service odd has sslkey"),
        "{}",
        imported.stdout
    );
    assert!(site.logs_in("shop"));

    let encoded: String = PASSWORD.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let urls = write(
        "urls.txt",
        format!(
            "postgres://ada:{encoded}@localhost:{port}/postgres\npostgres://ada@localhost:{port}/template1\noracle://x/y\n"
        ),
    );
    let imported = site.run(&["connections", "import", &urls, "--keep", "vault"]).exits(3);
    assert!(imported.stdout.contains(":2: ada@localhost template1: imported\n"), "{}", imported.stdout);
    assert!(imported.stdout.contains(":3: failed: "), "{}", imported.stdout);
    assert!(site.logs_in("ada@localhost postgres"));
    assert_eq!(site.places().len(), 3);
}

#[test]
fn without_a_place_for_passwords_nothing_is_imported() {
    let site = Site::start();
    let path = site.house.path(".pgpass");
    fs::write(&path, format!("127.0.0.1:1:postgres:ada:{PASSWORD}\n")).unwrap();
    let ran = site.run(&["connections", "import", path.to_str().unwrap(), "--keep", "vault"]).exits(2);
    assert!(ran.stderr.starts_with("error: no source of a master key is configured"), "{}", ran.stderr);
    assert_eq!(site.run(&["connections", "list", "--json"]).stdout.trim(), "[]");
    // Without the passwords it is.
    let ran = site.run(&["connections", "import", path.to_str().unwrap(), "--keep", "ask"]).exits(0);
    assert!(ran.stdout.ends_with("imported\n"), "{}", ran.stdout);
}
