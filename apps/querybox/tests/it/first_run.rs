//! The first run: the home, and the sample that is made once.

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    process::Command,
};

use expect_test::expect;
use querybox_fixtures::{Folder, copy_program, is_root, ordinary_user, program};

use crate::house::House;

#[test]
fn the_sample_is_there_from_the_first_query() {
    let house = House::empty();
    house.add_driver("sqlite");
    let ran = house.run(["query", "sample", "select count(*) > 1000 as many from customers"]).exits(0);
    assert_eq!(ran.stdout, "many\n1\n");
    assert!(ran.stderr.ends_with("(1 row, T)\n"), "{ran:#?}");
    let mode = |name: &str| fs::metadata(house.home().join(name)).unwrap().mode() & 0o777;
    assert_eq!(mode(""), if is_root() { 0o711 } else { 0o700 });
    assert_eq!(mode("files"), 0o700);
    assert_eq!(mode("files/sample.sqlite"), 0o600);
    assert_eq!(mode("store.db"), 0o600);
}

#[test]
fn what_cannot_be_enforced_is_told_once_and_when_asked() {
    let house = House::empty();
    house.add_driver("sqlite");
    // Root's own file is served by a driver of root's; an ordinary user's by one of that user's.
    let file = format!("file={}", house.path("own.db").display());
    let warns = |flags: &[&str]| {
        let exec = ["exec", "sqlite", "-p", &file, "-p", "create=true", "select 1"];
        house.run(exec.iter().chain(flags)).exits(0).stderr.contains("warning: the driver is confined less")
    };
    assert!(warns(&[]));
    assert!(!warns(&[]));
    assert!(warns(&["--verbose"]));
}

#[test]
fn a_sample_that_was_removed_stays_removed() {
    let house = House::empty();
    house.add_driver("sqlite");
    house.run(["connections", "remove", "sample"]).exits(0);
    house.run(["connections", "list"]).exits(0).on_stdout(expect![[r#"
        no connections; save one with `querybox connections add`
    "#]]);
}

#[test]
fn without_its_driver_the_sample_waits() {
    let house = House::empty();
    house.run(["query", "sample", "select 1"]).exits(2);
    house.add_driver("sqlite");
    house.run(["query", "sample", "select 1"]).exits(0);
}

#[test]
fn two_programs_that_start_at_once_make_one_sample() {
    let house = House::empty();
    house.add_driver("sqlite");
    let start =
        || house.command(["query", "sample", "select count(*) > 1000 as many from orders"]).spawn().unwrap();
    let programs: Vec<_> = (0..4).map(|_| start()).collect();
    for program in programs {
        let ran = house.ran(program.wait_with_output().unwrap()).exits(0);
        assert_eq!(ran.stdout, "many\n1\n", "{ran:#?}");
    }
}

#[test]
fn an_ordinary_user_has_it_all_too() {
    let user = ordinary_user();
    let folder = Folder::make(user, 0o700).unwrap();
    for name in ["querybox", "querybox-jail"] {
        copy_program(&program(name), folder.path()).unwrap();
    }
    let plugins = folder.add_folder("plugins", user, 0o700).unwrap();
    copy_program(&program("querybox-driver-sqlite"), &plugins).unwrap();
    let mut command = Command::new(folder.path().join("querybox"));
    command.env_clear().env("HOME", folder.path()).current_dir(folder.path()).args([
        "query",
        "sample",
        "select count(*) > 1000 as many from customers",
    ]);
    if is_root() {
        command.uid(user.uid).gid(user.gid);
    }
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "many\n1\n", "{output:?}");
    let home = folder.path().join(".local/share/querybox");
    assert_eq!(fs::metadata(home).unwrap().mode() & 0o777, 0o700);
}
