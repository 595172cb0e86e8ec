//! One run of the probe, in the jail or outside of it.

use std::{
    io::Read,
    os::{fd::OwnedFd, unix::net::UnixStream, unix::process::CommandExt, unix::process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use querybox_fixtures::{
    Folder, User, copy_program, example, ordinary_user, program, root_only, unprivileged,
};
use querybox_jail::{Ids, Limits, Policy, Report, Stdin, channel};

/// Who starts the jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starter {
    Root,
    OrdinaryUser,
}

impl Starter {
    /// All that this machine can play; says so when root is missing.
    pub(crate) fn all() -> Vec<Self> {
        if root_only("the half of this test that starts the jail as root") {
            vec![Self::Root, Self::OrdinaryUser]
        } else {
            vec![Self::OrdinaryUser]
        }
    }

    pub(crate) fn user(self) -> User {
        match self {
            Self::Root => User { uid: 0, gid: 0 },
            Self::OrdinaryUser => ordinary_user(),
        }
    }

    /// Whom the driver runs as when it has no grant.
    pub(crate) fn driver(self) -> User {
        match self {
            Self::Root => unprivileged(),
            Self::OrdinaryUser => ordinary_user(),
        }
    }
}

/// A jail that can be run. Change `policy` before.
pub(crate) struct Trial {
    pub(crate) starter: Starter,
    pub(crate) policy: Policy,
    programs: Folder,
    jail: PathBuf,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Option<Report>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
}

impl Trial {
    pub(crate) fn new(starter: Starter) -> Self {
        let programs = Folder::make(starter.user(), 0o755).unwrap();
        let jail = copy_program(&program("querybox-jail"), programs.path()).unwrap();
        let probe = copy_program(&example("jail-probe"), programs.path()).unwrap();
        let policy = Policy {
            driver: probe,
            pin: None,
            arguments: Vec::new(),
            environment: vec![("LANG".to_owned(), "C.UTF-8".to_owned())],
            parent: std::process::id(),
            granted_file: None,
            unprivileged: Ids { uid: unprivileged().uid, gid: unprivileged().gid },
            limits: Limits { memory_bytes_max: 512 << 20, descriptors_max: 64, file_bytes_max: None },
            stdin: Stdin::Null,
        };
        Self { starter, policy, programs, jail }
    }

    /// The folder in which the programs lie.
    pub(crate) fn programs(&self) -> &Folder {
        &self.programs
    }

    /// Runs the probe in the jail.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        let mut policy = self.policy.clone();
        policy.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        channel::send(&mut ours, &policy).unwrap();
        let mut command = as_user(Command::new(&self.jail), self.starter.user());
        // What the jail must not pass on.
        command.env("QUERYBOX_CANARY", "environment").current_dir(self.programs.path());
        let mut outcome = run(command.stdin(OwnedFd::from(theirs)), |()| channel::receive(&mut ours).ok());
        let mut rest = Vec::new();
        ours.read_to_end(&mut rest).unwrap();
        outcome.stdout = outcome.stdout.replace(&self.programs.path().display().to_string(), "PROGRAMS");
        outcome
    }

    /// Runs the probe without the jail, as whoever a driver without a grant runs as.
    pub(crate) fn run_free(&self, arguments: &[&str]) -> Outcome {
        let mut command = as_user(Command::new(&self.policy.driver), self.starter.driver());
        run(command.args(arguments), |()| None)
    }
}

fn run(command: &mut Command, report: impl FnOnce(()) -> Option<Report>) -> Outcome {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The command still holds the jail's end of the socket; without it, a jail that dies is seen as an end of file.
    command.stdin(Stdio::null());
    let report = report(());
    let output = child.wait_with_output().unwrap();
    Outcome {
        report,
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
        signal: output.status.signal(),
    }
}

fn as_user(mut command: Command, user: User) -> Command {
    if user.uid != rustix::process::geteuid().as_raw() {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// In the jail the attempt fails for want of permission; without it, it is done.
#[track_caller]
pub(crate) fn check_prevented(arguments: &[&str]) {
    for starter in Starter::all() {
        let trial = Trial::new(starter);
        let free = trial.run_free(arguments);
        assert!(free.stdout.starts_with("done"), "without the jail, {starter:?}: {free:?}");
        let jailed = trial.run(arguments);
        assert!(jailed.stdout.starts_with("failed PermissionDenied"), "in the jail, {starter:?}: {jailed:?}");
    }
}

/// The attempt is done, in the jail and without it.
#[track_caller]
pub(crate) fn check_allowed(arguments: &[&str]) {
    for starter in Starter::all() {
        let trial = Trial::new(starter);
        for outcome in [trial.run_free(arguments), trial.run(arguments)] {
            assert!(outcome.stdout.starts_with("done"), "{starter:?}: {outcome:?}");
        }
    }
}

/// The value of a line `Name:  value` as `/proc` prints them.
pub(crate) fn line<'a>(text: &'a str, name: &str) -> &'a str {
    let found = text.lines().find_map(|line| line.strip_prefix(name));
    found.unwrap_or_else(|| panic!("{name} is not in {text}")).trim_start_matches(':').trim()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
