//! Connections: saved, shown, changed, tried, exported, forgotten.

use expect_test::expect;

use crate::house::House;

#[test]
fn a_connection_lives_from_add_to_remove() {
    let house = House::new();
    // A relative path belongs to the folder that the command was given in.
    let mut add = house.command(["connections", "add", "eu", "sqlite:shop.db?busy_timeout_ms=100"]);
    add.args([
        "--folder",
        "work/eu",
        "--color",
        "red",
        "--read-only",
        "--deadline",
        "5m",
        "--max-rows",
        "10",
    ]);
    add.current_dir(house.file(""));
    house.ran(add.output().unwrap()).says(
        0,
        expect![[r#"
        saved eu; try it with `querybox connections test eu`
    "#]],
    );
    house.run(["query", "eu", "select count(*) as n from products"]).exits(0).on_stdout(expect![[r#"
        n
        3
    "#]]);
    house.run(["query", "eu", "delete from products"]).says(
        1,
        expect![[r#"
        error: attempt to write a readonly database
         code: SQLSTATE 25006, SQLITE_READONLY
    "#]],
    );
    house.run(["connections", "export", "eu"]).exits(0).on_stdout(expect![[r#"
        [[connection]]
        name = "eu"
        driver = "sqlite"
        folder = "work/eu"
        color = "red"
        read_only = true
        deadline = "5m"
        max_rows = 10
        secret = "none"

        [connection.params]
        file = "<files>/shop.db"
        busy_timeout_ms = "100"
    "#]]);
    house
        .run(["connections", "edit", "eu", "--name", "Europe", "--color", "none", "--read-only", "false"])
        .exits(0);
    house
        .run(["connections", "edit", "europe", "--max-rows", "none", "--unset-param", "busy_timeout_ms"])
        .exits(0);
    house.run(["connections", "export", "EUROPE", "--format", "json"]).exits(0).on_stdout(expect![[r#"
        {
          "connection": [
            {
              "name": "Europe",
              "driver": "sqlite",
              "folder": "work/eu",
              "read_only": false,
              "deadline": "5m",
              "secret": "none",
              "params": {
                "file": "<files>/shop.db"
              }
            }
          ]
        }
    "#]]);
    house.run(["connections", "duplicate", "Europe", "copy"]).exits(0);
    house.run(["connections", "remove", "Europe", "copy"]).exits(0).on_stderr(expect![[r#"
        removed Europe
        removed copy
    "#]]);
    let list = house.run(["connections", "list", "--json"]).exits(0).stdout;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|connection| &connection["name"]).collect();
    assert_eq!(names, ["shop"]);
}

#[test]
fn a_name_is_taken_whatever_its_case() {
    let house = House::new();
    house.run(["connections", "add", "SHOP", "sqlite:/x.db"]).says(
        2,
        expect![[r#"
        error: there already is a connection named SHOP
    "#]],
    );
}

#[test]
fn what_is_wrong_with_a_new_connection_is_told() {
    let house = House::new();
    let check = |args: &[&str], expected: expect_test::Expect| {
        house.run(["connections", "add", "new"].iter().chain(args)).says(2, expected);
    };
    check(
        &["oracle:x"],
        expect![[r#"
        error: no driver takes URLs that begin with "oracle"
         hint: `querybox plugins list` shows the drivers that are there
    "#]],
    );
    check(
        &["shop.db"],
        expect![[r#"
            error: this is not a URL: it begins with no scheme such as "sqlite:"
        "#]],
    );
    check(
        &["sqlite:x.db?nope=1"],
        expect![[r#"
            error: the URL's option does not fit: parameter "nope" is not one of this driver's
             hint: `querybox plugins info DRIVER` shows the parameters that there are
        "#]],
    );
    check(
        &["--driver", "sqlite"],
        expect![[r#"
            error: parameter "file" is missing
             hint: `querybox plugins info DRIVER` shows the parameters that there are
        "#]],
    );
    check(
        &["--driver", "nope", "-p", "a=b"],
        expect![[r#"
        error: there is no driver `nope`
         hint: `querybox plugins list` shows the drivers that are there
    "#]],
    );
    check(
        &["sqlite:x.db", "-p", "busy_timeout_ms=soon"],
        expect![[r#"
            error: parameter "busy_timeout_ms" is not a whole number
             hint: `querybox plugins info DRIVER` shows the parameters that there are
        "#]],
    );
}

#[test]
fn a_test_shows_its_stages() {
    let house = House::new();
    house.run(["connections", "test", "shop"]).exits(0).on_stderr(expect![[r#"
        shop works
    "#]]);
    let file = format!("file={}", house.file("nope.db").display());
    house.run(["connections", "add", "nowhere", "--driver", "sqlite", "-p", &file]).exits(0);
    let ran = house.run(["connections", "test", "nowhere"]).exits(3);
    assert!(ran.stdout.contains("✓ start driver") && ran.stdout.contains("✗ reach"), "{ran:#?}");
    ran.on_stderr(expect![[r#"
        error: <files>/nope.db does not exist; with `create=true` an empty database is made
    "#]]);
}

/// What a driver whose connections have a password answers to `info`.
const WITH_PASSWORDS: &str = r#"{"name":"Nowhere","driverType":"nowhere","version":"1","contractVersion":1,
"networkNeed":"NETWORK_NEED_DIALED","socketKinds":["SOCKET_KIND_TCP"],"fileNeed":"FILE_NEED_NONE",
"urlSchemes":["nowhere"],"connectionForm":[
{"name":"host","label":"Host","kind":"FORM_FIELD_KIND_TEXT","role":"FORM_FIELD_ROLE_HOST","required":true},
{"name":"user","label":"User","kind":"FORM_FIELD_KIND_TEXT","role":"FORM_FIELD_ROLE_USER"},
{"name":"password","label":"Password","kind":"FORM_FIELD_KIND_PASSWORD","role":"FORM_FIELD_ROLE_PASSWORD",
"secret":true}]}"#;

/// A house with a driver that asks for passwords, and can do nothing else.
pub(crate) fn house_with_passwords() -> House {
    let house = House::new();
    house.add_script("nowhere", &format!("printf '%s' '{WITH_PASSWORDS}'"));
    house
}

#[test]
fn a_password_on_the_command_line_is_refused_and_not_repeated() {
    let house = house_with_passwords();
    house.run(["connections", "add", "n", "nowhere://ada:canary@host/db"]).says(2, expect![[r#"
        error: a URL with a password is refused: leave it out, and give it when you are asked (an @ in another place is written %40)
         hint: what stands on a command line can be read by others and stays in the shell's history: change that password
    "#]]);
    house
        .run(["connections", "add", "n", "--driver", "nowhere", "-p", "host=h", "-p", "password=canary"])
        .says(2, expect![[r#"
            error: password is a secret and has no place on a command line
             hint: leave it out; QueryBox asks for it, or takes it from `--password-stdin`. What stood there can be in the shell's history, so change it
        "#]]);
    house.run(["exec", "nowhere", "-p", "host=h", "-p", "password=canary", "select 1"]).exits(2);
}

#[test]
fn keywords_do_as_well_as_a_url() {
    let house = house_with_passwords();
    house.run(["connections", "add", "n", "host=db.example.com user=ada"]).exits(0);
    house.run(["connections", "add", "m", "nowhere:user='ada b' host=db"]).exits(0);
    house.run(["connections", "export", "n", "m"]).exits(0).on_stdout(expect![[r#"
        [[connection]]
        name = "n"
        driver = "nowhere"
        read_only = false
        secret = "ask"

        [connection.params]
        host = "db.example.com"
        user = "ada"

        [[connection]]
        name = "m"
        driver = "nowhere"
        read_only = false
        secret = "ask"

        [connection.params]
        user = "ada b"
        host = "db"
    "#]]);
    house.run(["connections", "add", "o", "host=db password=canary"]).says(2, expect![[r#"
        error: a URL with a password is refused: leave it out, and give it when you are asked (an @ in another place is written %40)
         hint: what stands on a command line can be read by others and stays in the shell's history: change that password
    "#]]);
    house.run(["connections", "add", "o", "host=db sslmode=canary"]).says(
        2,
        expect![[r#"
        error: the URL's option does not fit: parameter "sslmode" is not one of this driver's
         hint: `querybox plugins info DRIVER` shows the parameters that there are
    "#]],
    );
    house.run(["connections", "add", "o", "host='canary"]).says(
        2,
        expect![[r#"
        error: the URL is malformed: a value's quotes are not closed
    "#]],
    );
    House::new().run(["connections", "add", "o", "host=canary"]).says(
        2,
        expect![[r#"
        error: no driver takes keywords such as host=…
         hint: `querybox plugins list` shows the drivers that are there
    "#]],
    );
}

#[test]
fn a_connection_that_asks_is_not_used_without_an_answer() {
    let house = house_with_passwords();
    house.run(["connections", "add", "n", "nowhere://ada@host"]).exits(0);
    let shown = house.run(["connections", "show", "n"]).exits(0).stdout;
    assert!(shown.contains("asked for at each use"), "{shown}");
    // A process in a session of its own has no terminal to ask on.
    let mut command = std::process::Command::new("setsid");
    command.arg("--wait").arg(env!("CARGO_BIN_EXE_querybox")).args(["query", "n", "select 1"]);
    house.furnish(&mut command);
    house.ran(command.output().unwrap()).says(
        2,
        expect![[r#"
        error: n asks for a password: there is no terminal to ask on
         hint: run it from a terminal to be asked, or give the password to `--password-stdin`; `querybox credentials set n` keeps it
    "#]],
    );
}
