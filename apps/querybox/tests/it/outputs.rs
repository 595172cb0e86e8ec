//! Where data goes: files that appear whole or not at all, devices, links, full disks.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, symlink},
    process::Command,
};

use expect_test::expect;
use querybox_fixtures::root_only;

use crate::house::{House, names};

#[test]
fn a_file_appears_with_all_rows_and_closed_to_others() {
    let house = House::new();
    house.run(["query", "shop", "-o", "out.ndjson", "select id from products"]).says(
        0,
        expect![[r#"
        (3 rows, T)
    "#]],
    );
    assert_eq!(fs::read_to_string(house.path("out.ndjson")).unwrap(), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    assert_eq!(fs::metadata(house.path("out.ndjson")).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_rejection_leaves_a_file_as_it_was() {
    let house = House::new();
    fs::write(house.path("out.csv"), "old").unwrap();
    house.run(["query", "shop", "-o", "out.csv", "select 1; select nope"]).says(
        1,
        expect![[r#"
        (1 row, T)
        error: no such column: nope
           --> line 1, column 18
          |
        1 | select 1; select nope
          |                  ^^^^
         code: SQLSTATE 42703, SQLITE_ERROR
        out.csv was not written
    "#]],
    );
    assert_eq!(fs::read_to_string(house.path("out.csv")).unwrap(), "old");
    house.run(["query", "shop", "-o", "out.csv", "--on-error", "continue", "select 1; select nope"]).exits(1);
    assert_eq!(fs::read_to_string(house.path("out.csv")).unwrap(), "1\n1\n");
}

#[test]
fn a_device_is_written_as_it_is() {
    let house = House::new();
    house.run(["query", "shop", "-o", "/dev/null", "select 1"]).says(
        0,
        expect![[r#"
        (1 row, T)
    "#]],
    );
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    house.run(["query", "shop", "-o", "/dev/full", "select 1"]).says(
        3,
        expect![[r#"
        error: disk is full: cannot write /dev/full
    "#]],
    );
}

#[test]
fn a_symbolic_link_is_followed() {
    let house = House::new();
    fs::write(house.path("real.csv"), "old").unwrap();
    symlink("real.csv", house.path("link.csv")).unwrap();
    house.run(["query", "shop", "-o", "link.csv", "select 7 as n"]).exits(0);
    assert!(fs::symlink_metadata(house.path("link.csv")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(house.path("real.csv")).unwrap(), "n\n7\n");
}

#[test]
fn a_full_disk_is_named_and_nothing_is_left_on_it() {
    if !root_only("a_full_disk_is_named_and_nothing_is_left_on_it") {
        return;
    }
    let house = House::new();
    let disk = house.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(&disk)
        .status()
        .unwrap()
        .success();
    assert!(mounted, "root may mount a tmpfs");
    let ran = house.run([
        "query",
        "shop",
        "-o",
        "disk/out.csv",
        "with recursive c(n) as (select 1 union all select n + 1 from c limit 100000) select n from c",
    ]);
    let left = names(&disk);
    assert!(Command::new("umount").arg(&disk).status().unwrap().success());
    ran.says(
        3,
        expect![[r#"
        error: disk is full: cannot write disk/out.csv
    "#]],
    );
    assert_eq!(left, [""; 0]);
}
