//! A master key on its way into the program: who could see it.

use std::{fs, io::Write, process::Stdio, thread, time::Duration};

use crate::house::{ENDLESS, House};

const KEY: &str = "8f1d2c7be04a55936ac01f8e3d72b9465cf0a81be7349d60fb2285d4c96e1370";

fn shows_key(pid: u32, file: &str) -> bool {
    let path = format!("/proc/{pid}/{file}");
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.windows(KEY.len()).any(|window| window == KEY.as_bytes())
}

#[test]
fn a_key_in_the_environment_is_not_seen_there() {
    let house = House::new();
    // The same attack on a program that does nothing against it.
    let mut open =
        std::process::Command::new("sleep").arg("60").env("QUERYBOX_MASTER_KEY", KEY).spawn().unwrap();
    // The kernel names a program before it says where its environment lies.
    let read = |file: &str| fs::read(format!("/proc/{}/{file}", open.id())).unwrap();
    while read("comm") != b"sleep\n" || read("environ").is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(shows_key(open.id(), "environ"));
    open.kill().unwrap();
    open.wait().unwrap();

    let mut command = house.command(["query", "shop", "--format", "csv", ENDLESS]);
    let mut running = command.env("QUERYBOX_MASTER_KEY", KEY).spawn().unwrap();
    let pid = running.id();
    // The first rows: from here on it has long been itself.
    let mut output = std::io::BufReader::new(running.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    assert!(!line.is_empty());

    let environment = String::from_utf8(fs::read(format!("/proc/{pid}/environ")).unwrap()).unwrap();
    assert!(environment.contains("QUERYBOX_MASTER_KEY_PIPE="), "{environment}");
    assert!(!environment.contains("QUERYBOX_MASTER_KEY="), "{environment}");
    for file in ["environ", "cmdline"] {
        assert!(!shows_key(pid, file), "{file}");
    }
    let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    assert_eq!(comm, "querybox\n");
    // Nor does its driver have it, or the pipe.
    let children = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let drivers: Vec<u32> = children
        .flat_map(|task| {
            let list = fs::read_to_string(task.unwrap().path().join("children")).unwrap();
            list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<u32>>()
        })
        .collect();
    assert!(!drivers.is_empty());
    for driver in drivers {
        let environment = fs::read_to_string(format!("/proc/{driver}/environ")).unwrap();
        assert!(!environment.contains("MASTER_KEY"), "{environment}");
    }
    running.kill().unwrap();
    running.wait().unwrap();
}

#[test]
fn arguments_and_standard_input_pass_through() {
    let house = House::new();
    let mut command = house.command(["query", "shop", "--format", "csv", "-f", "-"]);
    let mut child = command.env("QUERYBOX_MASTER_KEY", KEY).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"select 'a b' as \"c d\"").unwrap();
    let ran = house.ran(child.wait_with_output().unwrap());
    assert_eq!(ran.stdout, "c d\na b\n", "{ran:?}");
    assert_eq!(ran.code, 0);
}

#[test]
fn a_key_that_is_too_long_to_be_hidden_is_refused() {
    let house = House::empty();
    let mut command = house.command(["plugins", "list"]);
    command.env("QUERYBOX_MASTER_KEY", "x".repeat(70_000));
    let ran = house.ran(command.output().unwrap());
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("cannot take QUERYBOX_MASTER_KEY out of the environment"), "{ran:?}");
    assert!(!house.home().exists());
}
