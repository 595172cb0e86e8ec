//! A home, plugins and a small database for one test, and the program run in it.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use expect_test::Expect;
use querybox_fixtures::{Folder, User, is_root, ordinary_user, program, unprivileged};
use rustix::process::{Pid, Signal, kill_process};

/// Statements of the small database that every house has as connection `shop`.
const SHOP: &str = "
    create table products (id integer primary key, name text, price decimal(10,2), note text);
    insert into products values (1, 'Lamp', 12.5, null), (2, 'Täble', 100, ''), (3, 'Chair, red', 49.99, 'a \"b\"');
";

/// A statement that has no end.
pub(crate) const ENDLESS: &str =
    "with recursive c(n) as (select 1 union all select n + 1 from c) select n from c";

/// A statement that has no end and returns nothing meanwhile.
pub(crate) const ENDLESS_SILENT: &str =
    "with recursive c(n) as (select 1 union all select n + 1 from c) select count(*) from c";

/// A place to run the program in.
pub(crate) struct House {
    folder: Folder,
    files: Folder,
}

/// How a run of the program went.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl House {
    /// A house with the SQLite driver and the connection `shop`; the sample counts as made and removed.
    pub(crate) fn new() -> House {
        let house = House::empty();
        let home = house.home();
        fs::create_dir(&home).unwrap();
        fs::write(home.join("sample.made"), "removed by a test\n").unwrap();
        house.add_driver("sqlite");
        let file = format!("file={}", house.file("shop.db").display());
        house.run(["exec", "sqlite", "-p", &file, "-p", "create=true", SHOP]).exits(0);
        house.run(["connections", "add", "shop", "--driver", "sqlite", "-p", &file]).exits(0);
        house
    }

    /// A house without a driver, whose program never ran.
    pub(crate) fn empty() -> House {
        let own = User { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() };
        let folder = Folder::make(own, 0o755).unwrap();
        folder.add_folder("plugins", own, 0o755).unwrap();
        // Databases that belong to root would be served by a driver of root's, which is told as degraded.
        let owner = if is_root() { unprivileged() } else { ordinary_user() };
        let files = Folder::make(owner, 0o755).unwrap();
        House { folder, files }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A path that drivers can reach.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// A path beside the home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn add_driver(&self, driver_type: &str) {
        let name = format!("querybox-driver-{driver_type}");
        let built = program(&name);
        let place = self.path("plugins").join(name);
        if fs::hard_link(&built, &place).is_err() {
            fs::copy(&built, &place).unwrap();
        }
    }

    /// A plugin that is a script of `/bin/sh`.
    pub(crate) fn add_script(&self, driver_type: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;

        let place = self.path("plugins").join(format!("querybox-driver-{driver_type}"));
        fs::write(&place, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The program in this house, not yet started.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_querybox"));
        self.furnish(&mut command);
        command.args(args);
        command
    }

    /// Gives a command this house's environment and closed standard streams.
    pub(crate) fn furnish(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("QUERYBOX_HOME", self.home())
            .env("QUERYBOX_PLUGINS", self.path("plugins"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        self.ran(self.command(args).output().unwrap())
    }

    /// Runs with something on standard input.
    pub(crate) fn run_with<A: AsRef<OsStr>>(&self, input: &[u8], args: impl IntoIterator<Item = A>) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        // The program may end without reading.
        let _ = child.stdin.take().unwrap().write_all(input);
        self.ran(child.wait_with_output().unwrap())
    }

    /// What a finished program left, with this house's paths and all times replaced.
    pub(crate) fn ran(&self, output: Output) -> Ran {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            let text = text.replace(self.files.path().to_str().unwrap(), "<files>");
            without_times(&text.replace(self.folder.path().to_str().unwrap(), "<house>"))
        };
        let code = output.status.code().unwrap_or_else(|| -output.status.signal().unwrap());
        Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// The program ended so.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// The program ended so, said this on standard error, and nothing on standard output.
    #[track_caller]
    pub(crate) fn says(self, code: i32, stderr: Expect) {
        assert_eq!(self.stdout, "", "{self:#?}");
        self.exits(code).on_stderr(stderr);
    }

    pub(crate) fn on_stderr(self, stderr: Expect) -> Ran {
        stderr.assert_eq(&self.stderr);
        self
    }

    pub(crate) fn on_stdout(self, stdout: Expect) -> Ran {
        stdout.assert_eq(&self.stdout);
        self
    }
}

/// Times differ from run to run: `3.1 ms` becomes `T`.
fn without_times(text: &str) -> String {
    let mut words: Vec<&str> = text.split_inclusive(' ').collect();
    let is_number = |word: &str| {
        let word = word.trim_end_matches(' ');
        !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let mut at = 0;
    while at + 1 < words.len() {
        let unit = words[at + 1];
        let end = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        if is_number(words[at]) && matches!(&unit[..end], "ms" | "s") {
            words[at] = "T";
            words[at + 1] = &unit[end..];
        }
        at += 1;
    }
    words.concat()
}

/// A program that runs, and what it says meanwhile.
pub(crate) struct Running {
    pub(crate) child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    /// The driver's process.
    pub(crate) driver: Pid,
}

impl Running {
    /// Starts a verbose query and waits until its driver is there.
    pub(crate) fn start(mut command: Command) -> Running {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let driver = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "the program ended: {said}");
            if let Some(pid) = line.trim().strip_prefix("driver process ") {
                break Pid::from_raw(pid.parse().unwrap()).unwrap();
            }
            said.push_str(&line);
        };
        Running { child, stderr, driver }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end: the exit code and the rest of what was said, times replaced.
    pub(crate) fn end(mut self) -> (i32, String) {
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.stderr, &mut rest).unwrap();
        (status.code().unwrap_or_else(|| -status.signal().unwrap()), without_times(&rest))
    }
}

/// Whether a process is there and no zombie.
pub(crate) fn lives(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with(['Z', 'X']))
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn within(time: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < time, "{what}: not within {time:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
