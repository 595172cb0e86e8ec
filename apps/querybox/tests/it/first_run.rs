//! The first run: the home, and the sample that is made once.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown, symlink},
        process::CommandExt,
    },
    process::Command,
};

use expect_test::expect;
use querybox_fixtures::{Folder, copy_program, is_root, ordinary_user, program, root_only, unprivileged};

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

/// As if a driver had written into its folder before a first run that was cut short.
fn with_prepared_files(prepare: impl Fn(&House, &std::path::Path)) -> House {
    let house = House::empty();
    house.add_driver("sqlite");
    let files = house.home().join("files");
    fs::create_dir_all(&files).unwrap();
    chown(&files, Some(unprivileged().uid), Some(unprivileged().gid)).unwrap();
    prepare(&house, &files);
    house
}

#[test]
fn root_gives_nothing_away_through_a_link_of_the_drivers() {
    if !root_only("root_gives_nothing_away_through_a_link_of_the_drivers") {
        return;
    }
    let house = with_prepared_files(|house, files| {
        fs::write(house.path("roots"), "canary").unwrap();
        symlink(house.path("roots"), files.join("sample.sqlite")).unwrap();
    });
    house.run(["query", "sample", "select 1"]).exits(0);
    let roots = fs::metadata(house.path("roots")).unwrap();
    assert_eq!((roots.uid(), roots.gid()), (0, 0));
    assert_eq!(fs::read_to_string(house.path("roots")).unwrap(), "canary");
    let sample = fs::symlink_metadata(house.home().join("files/sample.sqlite")).unwrap();
    assert!(sample.is_file(), "the link was replaced");
    assert_eq!((sample.uid(), sample.mode() & 0o777), (unprivileged().uid, 0o600));
}

#[test]
fn root_gives_nothing_away_through_a_second_name_of_its_file() {
    if !root_only("root_gives_nothing_away_through_a_second_name_of_its_file") {
        return;
    }
    let house = with_prepared_files(|house, files| {
        fs::write(house.path("roots"), "canary").unwrap();
        fs::hard_link(house.path("roots"), files.join("sample.sqlite")).unwrap();
    });
    house.run(["query", "sample", "select 1"]).exits(0);
    assert_eq!(fs::metadata(house.path("roots")).unwrap().uid(), 0);
    assert_eq!(fs::read_to_string(house.path("roots")).unwrap(), "canary");
}

#[test]
fn root_gives_no_folder_away_that_a_link_names_or_that_is_anothers() {
    if !root_only("root_gives_no_folder_away_that_a_link_names_or_that_is_anothers") {
        return;
    }
    let linked = House::empty();
    linked.add_driver("sqlite");
    fs::create_dir_all(linked.home()).unwrap();
    fs::create_dir(linked.path("elsewhere")).unwrap();
    symlink(linked.path("elsewhere"), linked.home().join("files")).unwrap();
    let ran = linked.run(["connections", "list"]).exits(0);
    assert!(ran.stderr.contains("warning: the sample database could not be made"), "{ran:#?}");
    assert_eq!(fs::metadata(linked.path("elsewhere")).unwrap().uid(), 0);

    let user = ordinary_user().uid;
    let anothers = with_prepared_files(|_, files| chown(files, Some(user), None).unwrap());
    let ran = anothers.run(["connections", "list"]).exits(0);
    assert!(ran.stderr.contains("files: it belongs to another user"), "{ran:#?}");
    assert_eq!(fs::metadata(anothers.home().join("files")).unwrap().uid(), user);
}
