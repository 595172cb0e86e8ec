//! The source of the master keys: which one is configured, and what it says.
//!
//! In this order, the first that is configured counts, and what is wrong with it ends the search: a key that cannot be read
//! must not make QueryBox use another one in silence.

mod command;
mod environment;
mod file;
mod guard;
mod reading;
mod words;

use std::{
    env,
    ffi::OsString,
    fmt,
    os::fd::RawFd,
    path::{Path, PathBuf},
};

use querybox_vault::{MasterKeys, Secret};

use crate::failure::Failure;

pub(crate) use environment::hide_from_environment;
pub(crate) use guard::{end_all as end_commands, run_if_asked as guard_if_asked};

/// Takes the descriptors that the environment names, for [`Source::read`]. It must come before anything is opened.
pub(crate) fn take_descriptors() {
    let named = [DESCRIPTOR, environment::PIPE].into_iter().filter_map(|variable| {
        // What is no number is told when it is to be used.
        env::var_os(variable).and_then(|number| descriptor(variable, &number).ok())
    });
    reading::take_descriptors(named);
}

/// A source that is configured. Nothing has been read from it yet.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A descriptor that whoever started the program opened; it can be read once.
    Descriptor(RawFd),
    /// A file that systemd put into this unit's folder of credentials.
    Systemd(PathBuf),
    /// A file of the user's own.
    File(PathBuf),
    /// A program that prints the keys, with its arguments.
    Command(Vec<OsString>),
    /// The environment that the program was started with; by now a pipe, which can be read once.
    Environment(RawFd),
    /// The key beside the store, which an administrator has asked for by `keys init --keep-on-disk`.
    Disk(PathBuf),
}

/// The variables. Each that is set is meant, even when it is empty.
const DESCRIPTOR: &str = "QUERYBOX_MASTER_KEY_FD";
const SYSTEMD: &str = "CREDENTIALS_DIRECTORY";
const FILE: &str = "QUERYBOX_MASTER_KEY_FILE";
const COMMAND: &str = "QUERYBOX_MASTER_KEY_COMMAND";
const ENVIRONMENT: &str = "QUERYBOX_MASTER_KEY";

/// The name of the credential in systemd's folder.
const SYSTEMD_NAME: &str = "querybox-master-key";

/// Variables that a program which is started from here has no use for.
const VARIABLES: [&str; 5] = [DESCRIPTOR, FILE, COMMAND, ENVIRONMENT, environment::PIPE];

impl Source {
    /// The first source that is configured. `None`: there is none.
    ///
    /// `variable` is the environment; `disk` where a key lies that is kept on the disk, see [`disk`](super::disk).
    pub(crate) fn find(
        variable: impl Fn(&str) -> Option<OsString>,
        disk: &Path,
    ) -> Result<Option<Source>, Unusable> {
        if let Some(number) = variable(DESCRIPTOR) {
            return descriptor(DESCRIPTOR, &number).map(|number| Some(Source::Descriptor(number)));
        }
        if let Some(folder) = variable(SYSTEMD) {
            let folder = Path::new(&folder);
            // Of another kind than systemd's it would name a file of the current folder, which is anybody's.
            if !folder.is_absolute() {
                return Err(Unusable::new(
                    format!("{SYSTEMD} is no absolute path"),
                    "systemd sets it; unset it where systemd did not",
                ));
            }
            let path = folder.join(SYSTEMD_NAME);
            // The folder may hold other credentials alone.
            if file::is_there(&path)? {
                return Ok(Some(Source::Systemd(path)));
            }
        }
        if let Some(path) = variable(FILE) {
            return match path.is_empty() {
                true => Err(Unusable::new(format!("{FILE} is empty"), "give it the path of the key file")),
                false => Ok(Some(Source::File(path.into()))),
            };
        }
        if let Some(line) = variable(COMMAND) {
            let words =
                words::split(&line).map_err(|why| Unusable::new(format!("{COMMAND} {why}"), words::HINT))?;
            return Ok(Some(Source::Command(words)));
        }
        if let Some(number) = variable(environment::PIPE) {
            return descriptor(environment::PIPE, &number).map(|number| Some(Source::Environment(number)));
        }
        Ok(file::is_there(disk)?.then(|| Source::Disk(disk.to_owned())))
    }

    /// Reads the keys. This may block for as long as a command may take; a descriptor gives them once only.
    pub(crate) fn read(&self) -> Result<MasterKeys, Unusable> {
        let text = self.read_text()?;
        MasterKeys::parse(&text).map_err(|error| {
            let mut why = error.to_string();
            if let Some(cause) = std::error::Error::source(&error) {
                why.push_str(": ");
                why.push_str(&cause.to_string());
            }
            Unusable::new(format!("{self}: {why}"), "`querybox keys init` makes a good one")
        })
    }

    fn read_text(&self) -> Result<Secret, Unusable> {
        match self {
            Source::Descriptor(number) | Source::Environment(number) => {
                reading::descriptor(*number).map_err(|why| self.unusable(&why, ""))
            }
            Source::Systemd(path) => file::read(path, file::Guard::ServiceManager)
                .map_err(|why| self.unusable(&why.to_string(), why.hint())),
            Source::File(path) | Source::Disk(path) => file::read(path, file::Guard::Owner)
                .map_err(|why| self.unusable(&why.to_string(), why.hint())),
            Source::Command(words) => command::run(words, &VARIABLES).map_err(|why| {
                self.unusable(&why.to_string(), "it must print the key, and nothing else, within 10 seconds")
            }),
        }
    }

    fn unusable(&self, why: &str, hint: &'static str) -> Unusable {
        Unusable::new(format!("{self}: {why}"), hint)
    }
}

/// The source in words. Of a command only the program's name: an argument may be secret.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Descriptor(number) => write!(f, "master key from descriptor {number} ({DESCRIPTOR})"),
            Source::Systemd(path) => write!(f, "master key from systemd's credential {}", path.display()),
            Source::File(path) => write!(f, "master key from {} ({FILE})", path.display()),
            Source::Command(words) => {
                let program = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
                write!(f, "master key from the command {program} ({COMMAND})")
            }
            Source::Environment(_) => write!(f, "master key from {ENVIRONMENT}"),
            Source::Disk(path) => write!(f, "master key from {}, kept on the disk", path.display()),
        }
    }
}

/// As in words, for the same reason.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

/// A source that is configured and of no use: what to tell, and what to do about it. It says nothing of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub message: String,
    pub hint: &'static str,
}

impl Unusable {
    fn new(message: String, hint: &'static str) -> Unusable {
        Unusable { message, hint }
    }
}

/// Where a key was to be set by the one who called: wrong usage.
impl From<Unusable> for Failure {
    fn from(unusable: Unusable) -> Failure {
        Failure::usage(unusable.message).with_hint(unusable.hint)
    }
}

const DESCRIPTOR_HINT: &str =
    "give it the number of another open descriptor: `QUERYBOX_MASTER_KEY_FD=3 querybox … 3<FILE`";

fn descriptor(variable: &str, number: &OsString) -> Result<RawFd, Unusable> {
    let number = number.to_str().and_then(|number| number.parse().ok()).filter(|number| *number >= 0);
    match number {
        None => Err(Unusable::new(format!("{variable} is no descriptor"), DESCRIPTOR_HINT)),
        // They are for passwords and SQL, for results, and for messages.
        Some(0..=2) => Err(Unusable::new(format!("{variable} names a standard stream"), DESCRIPTOR_HINT)),
        Some(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)], disk: &Path) -> Result<Option<Source>, Unusable> {
        let get = |name: &str| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, value)| OsString::from(value))
        };
        Source::find(get, disk)
    }

    #[test]
    fn the_first_that_is_configured_counts() {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("master.key");
        let credential = folder.path().join(SYSTEMD_NAME);
        std::fs::write(&disk, "").unwrap();
        std::fs::write(&credential, "").unwrap();
        let folder = folder.path().to_str().unwrap();
        let all = [
            (DESCRIPTOR, "7"),
            (SYSTEMD, folder),
            (FILE, "/etc/key"),
            (COMMAND, "pass show 'my key'"),
            (environment::PIPE, "5"),
        ];
        let expected = [
            Source::Descriptor(7),
            Source::Systemd(credential),
            Source::File("/etc/key".into()),
            Source::Command(vec!["pass".into(), "show".into(), "my key".into()]),
            Source::Environment(5),
            Source::Disk(disk.clone()),
        ];
        for (from, expected) in expected.into_iter().enumerate() {
            assert_eq!(find(&all[from..], &disk), Ok(Some(expected)), "from {from}");
        }
        assert_eq!(find(&[], Path::new("/no/such/key")), Ok(None));
        // systemd's folder may hold other credentials alone.
        let next = [(SYSTEMD, "/no/such/folder"), (FILE, "/etc/key")];
        assert_eq!(find(&next, &disk), Ok(Some(Source::File("/etc/key".into()))));
    }

    #[test]
    fn what_is_set_wrongly_ends_the_search() {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("master.key");
        std::fs::write(&disk, "").unwrap();
        for (variable, value) in [
            (DESCRIPTOR, ""),
            (DESCRIPTOR, "-1"),
            (DESCRIPTOR, "three"),
            (DESCRIPTOR, "0"),
            (DESCRIPTOR, "2"),
            (SYSTEMD, ""),
            (SYSTEMD, "credentials"),
            (SYSTEMD, "./"),
            (FILE, ""),
            (COMMAND, ""),
            (COMMAND, "pass 'show"),
        ] {
            let error = find(&[(variable, value)], &disk).unwrap_err();
            assert!(error.message.starts_with(variable), "{error:?}");
        }
    }

    #[test]
    fn a_source_that_fails_is_not_passed_by() {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("master.key");
        std::fs::write(&disk, "").unwrap();
        let source = find(&[(FILE, "/no/such/key")], &disk).unwrap().unwrap();
        let error = source.read().unwrap_err();
        assert_eq!(
            error.message,
            "master key from /no/such/key (QUERYBOX_MASTER_KEY_FILE): no such file or directory"
        );
    }

    #[test]
    fn an_argument_of_a_command_is_not_told() {
        let source = Source::Command(vec!["fetch".into(), "--token=canary".into()]);
        assert_eq!(source.to_string(), "master key from the command fetch (QUERYBOX_MASTER_KEY_COMMAND)");
        assert!(!format!("{source:?}").contains("canary"));
    }
}
