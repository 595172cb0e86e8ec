//! A password is nowhere but in the driver and on the wire.

use std::{fs, io::ErrorKind, path::Path, time::Duration};

use querybox_fixtures::is_root;
use rustix::process::Signal;

use super::{SLEEP, Site};
use crate::house::{Running, within};

/// A site with a user, the user's password, and one that is wrong.
struct Canaries {
    site: Site,
    right: String,
    wrong: String,
}

impl Canaries {
    fn plant() -> Canaries {
        let site = Site::start();
        // Of this test alone: others make their users by psql, whose arguments hold the password.
        let port = site.server.port();
        let (right, wrong) = (format!("canary-right-{port}-7f3a9c"), format!("canary-wrong-{port}-51d0e8"));
        site.server.psql(&format!("create role ada login password '{right}'"));
        site.add("ada", &format!("postgres://ada@127.0.0.1:{port}/postgres"), &[]);
        Canaries { site, right, wrong }
    }

    #[track_caller]
    fn assert_not_in(&self, bytes: &[u8], place: &str) {
        for form in [&self.right, &self.wrong].into_iter().flat_map(|secret| forms(secret)) {
            assert!(!holds(bytes, &form), "{place} holds {form}");
        }
    }
}

/// The ways in which programs show bytes: as they are, in hex, as a list of numbers.
fn forms(secret: &str) -> [String; 3] {
    let bytes = secret.as_bytes();
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<_> = bytes.iter().map(u8::to_string).collect();
    [secret.to_owned(), hex, list.join(", ")]
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|part| part == needle.as_bytes())
}

/// All files below a folder, one behind the other.
fn content(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(content(&path)),
            false => all.extend(fs::read(path).unwrap()),
        }
    }
    all
}

#[test]
fn a_password_is_in_no_argument_and_no_environment() {
    let canaries = Canaries::plant();
    let site = &canaries.site;
    let running = Running::start(site.command_with(&canaries.right, &["query", "ada", "-v", SLEEP]));
    within(Duration::from_secs(30), "the statement", || site.is_busy());
    let program = running.child.id().to_string();
    let driver = running.driver.as_raw_nonzero().to_string();
    let mut seen = 0;
    for entry in fs::read_dir("/proc").unwrap() {
        let pid = entry.unwrap().file_name().into_string().unwrap();
        if !pid.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        for file in ["cmdline", "environ"] {
            match fs::read(format!("/proc/{pid}/{file}")) {
                Ok(bytes) => {
                    canaries.assert_not_in(&bytes, &format!("{file} of process {pid}"));
                    seen += usize::from(pid == program || pid == driver);
                }
                // Processes end, and show themselves to root only.
                Err(error) if !is_root() && error.kind() == ErrorKind::PermissionDenied => {}
                Err(error) => assert_ne!(pid, program, "{error}"),
            }
        }
    }
    assert!(!is_root() || seen == 4, "{seen} of the files of the program and its driver were seen");
    let cmdline = fs::read(format!("/proc/{program}/cmdline")).unwrap();
    assert!(holds(&cmdline, "pg_sleep"), "what is there is found");
    running.signal(Signal::KILL);
    running.end();
}

#[test]
fn a_password_is_not_kept_and_not_said() {
    let canaries = Canaries::plant();
    let site = &canaries.site;
    let check = |password: &str, args: &[&str], code: i32| {
        let mut command = site.command_with(password, args);
        let output = command.env("QUERYBOX_LOG", "trace").output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(holds(&output.stderr, "driver started") && holds(&output.stderr, " TRACE "), "it logs all");
        canaries.assert_not_in(&output.stdout, "standard output");
        canaries.assert_not_in(&output.stderr, "standard error");
    };
    check(&canaries.right, &["query", "ada", "-v", "select current_user"], 0);
    check(&canaries.right, &["query", "ada", "-v", "select nope"], 1);
    check(&canaries.wrong, &["query", "ada", "-v", "select 1"], 1);
    check(&canaries.right, &["connections", "test", "ada"], 0);
    check(&canaries.wrong, &["connections", "test", "ada"], 1);
    check(&canaries.right, &["schema", "ada"], 0);

    let kept = content(&site.house.home());
    assert!(holds(&kept, "ada"), "what is there is found");
    canaries.assert_not_in(&kept, "the home folder");
}
