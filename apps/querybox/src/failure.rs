//! What ends a command: what to tell the user, and how to exit.

use std::{fmt, io, path::Path};

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{exit::Exit, reason::Reason};

/// Why a command could not be carried out, in words for people.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What happened: lower case, without a full stop. Empty: there is nothing to say (any more).
    pub message: String,
    /// What to do about it. Empty: none.
    pub hint: String,
    /// Core's reason. `None`: the failure is not Core's.
    pub reason: Option<Reason>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into(), hint: String::new(), reason: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, message)
    }

    pub(crate) fn machinery(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Machinery, message)
    }

    /// The program ends so, and all that there was to say has been said.
    pub(crate) fn silent(exit: Exit) -> Failure {
        Failure::new(exit, "")
    }

    #[must_use]
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Failure {
        Failure { hint: hint.into(), ..self }
    }

    /// A failure to write to `target`, a path or "standard output".
    pub(crate) fn writing(target: &str, error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::silent(Exit::PipeClosed),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Failure::machinery(format!("disk is full: cannot write {target}"))
            }
            _ => Failure::machinery(format!("cannot write {target}: {}", describe(error))),
        }
    }

    /// A failure to read or make something that QueryBox keeps for itself.
    pub(crate) fn keeping(path: &Path, error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Failure::machinery(format!("disk is full: cannot write {}", path.display()))
            }
            _ => Failure::machinery(format!("cannot use {}: {}", path.display(), describe(error))),
        }
    }

    /// A failure of a call that names a driver given on the command line: that there is none is then a wrong argument.
    pub(crate) fn of_named_driver(status: Status) -> Failure {
        let failure = Failure::from(status);
        match failure.reason {
            Some(Reason::PluginNotFound) => Failure {
                exit: Exit::Usage,
                hint: "`querybox plugins list` shows the drivers that are there".to_owned(),
                ..failure
            },
            _ => failure,
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        let info = status.get_details_error_info();
        let reason =
            info.filter(|info| info.domain == "querybox").and_then(|info| Reason::parse(&info.reason));
        let exit = match (reason, status.code()) {
            (Some(reason), _) => Exit::of(reason),
            // A status without a reason we know: made by the transport, or by a newer Core.
            (None, Code::InvalidArgument | Code::NotFound | Code::AlreadyExists) => Exit::Usage,
            (None, Code::DeadlineExceeded | Code::ResourceExhausted) => Exit::Limit,
            (None, _) => Exit::Machinery,
        };
        if reason.is_none() && is_of_transport(&status) {
            tracing::debug!(%status, "the connection to the server ended");
            return Failure::machinery(
                "the connection to the server ended before the answer did: the server was killed, or is out of reach",
            )
            .with_hint(GONE_HINT);
        }
        let mut metadata = status.get_details_error_info().map(|info| info.metadata).unwrap_or_default();
        let field = metadata.remove("field").unwrap_or_default();
        let holds_texts = metadata.contains_key("texts");
        // The paths of Core's own fields are the contract's words; the rest of the message stands without them.
        let message = match field.strip_prefix("spec.") {
            Some(word) => status.message().replacen(&field, word, 1),
            None => status.message().to_owned(),
        };
        let hint = match (reason, field.as_str()) {
            (Some(Reason::ParameterInvalid), "name" | "spec.name") => NAME_HINT,
            (Some(Reason::ParameterInvalid), "url" | "kind") => "",
            (Some(Reason::ParameterInvalid), field) if field.starts_with("spec.") => "",
            (Some(Reason::KeysUsed), _) if holds_texts => FORGET_TEXTS_HINT,
            (reason, _) => reason.map_or("", hint_for),
        };
        Failure { exit, message, hint: hint.to_owned(), reason }
    }
}

const GONE_HINT: &str = "what was asked may have been done or not, and what a killed server kept in memory is gone; \
     `querybox serve` starts one again: look before you ask again";

/// Whether nobody answered, and the client's own transport tells so. What somebody answered is no error of another.
fn is_of_transport(status: &Status) -> bool {
    std::error::Error::source(status).is_some() && status.code() != Code::DeadlineExceeded
}

const NAME_HINT: &str =
    "a name has 1 to 100 characters, none of them a control character, and no space at either end";

const FORGET_TEXTS_HINT: &str =
    "if that key is lost, `querybox keys forget-texts` forgets drafts and statements that cannot be opened";

/// What the user of a command line can do about it; the message itself is Core's.
fn hint_for(reason: Reason) -> &'static str {
    match reason {
        Reason::ConnectionNotFound => "`querybox connections list` shows the connections that are there",
        Reason::PluginNotFound => {
            "`querybox plugins list` shows the drivers that are there, and why others are not"
        }
        Reason::PasswordInUrl => {
            "what stands on a command line can be read by others and stays in the shell's history: change that password"
        }
        Reason::ParameterInvalid => "`querybox plugins info DRIVER` shows the parameters that there are",
        Reason::SecretMissing => {
            "run it from a terminal to be asked, give the password to `--password-stdin`, or keep it by `querybox credentials set CONNECTION`"
        }
        Reason::CredentialMissing => {
            "`querybox credentials set CONNECTION` stores it; `--password-stdin` gives it for this run alone"
        }
        Reason::CredentialDoesNotOpen => {
            "the store was changed or set back by something else than QueryBox; `querybox credentials set CONNECTION` stores the password anew"
        }
        Reason::CredentialInvalid => "",
        Reason::SecretPlaceMissing => {
            "unlock or install a keyring (a Secret Service such as gnome-keyring), or run `querybox keys init` to have a vault; `--keep ask` keeps no password"
        }
        Reason::KeyringAbsent => {
            "a keyring is a Secret Service such as gnome-keyring on the session bus; without one use `--keep vault` (see `querybox keys --help`), or `--keep ask`"
        }
        Reason::KeyringLocked => "unlock it, for instance by logging in to the desktop, then try again",
        Reason::KeyringDenied => "let QueryBox at it in the desktop's password manager, then try again",
        Reason::KeyringSilent => {
            "it may be waiting for you in a dialog, or hang; `--password-stdin` gives the password for this run alone"
        }
        Reason::KeyringFailed => {
            "`QUERYBOX_LOG=debug` tells more; `--password-stdin` gives the password for this run alone"
        }
        Reason::MasterKeyMissing => {
            "`querybox keys --help` lists the sources of a master key; `querybox keys init` makes a first one; `querybox keys status` tells which are needed"
        }
        Reason::MasterKeyWrong => {
            "`querybox keys status` shows the keys that this store knows; a new one is registered by `querybox keys add`"
        }
        Reason::MasterKeyUnreadable => {
            "`querybox keys --help` lists the sources of a master key and what they must give"
        }
        Reason::KeysNotInitialized => "`querybox keys init` registers the first one",
        Reason::KeyNotFound => "`querybox keys status` shows the keys that are registered",
        Reason::KeyInUse => {
            "`querybox keys rotate` seals everything under the first key of the source, and shows what is free"
        }
        Reason::KeyRetired => "take it out of the source, or put another key first",
        Reason::KeysInitialized => {
            "`querybox keys add` registers another one, `querybox keys status` shows them"
        }
        Reason::KeysUsed => {
            "`querybox keys add` registers another key, and `querybox keys rotate` seals everything under it"
        }
        Reason::TokenMissing | Reason::TokenWrong => {
            "each start of a server makes a new one, which lies in the home that it serves: `--home` names that, or QUERYBOX_TOKEN has the token"
        }
        Reason::BindingInvalid => crate::rejection::BIND_HINT,
        Reason::Deadline => "`--deadline` gives it more time, `--deadline none` all of it",
        Reason::DeadlineTooLong => "`deadline_max` in `config.toml` is the longest time that there is",
        Reason::ConnectionChanged => {
            "somebody else changed it meanwhile: look at it with `connections show`, then try again"
        }
        Reason::ResultNotFound | Reason::ResultDropped => "`querybox results list` shows those that are kept",
        Reason::ResultsFull => "`querybox results drop` makes room",
        Reason::ViewsFull => "`querybox results drop` forgets a result with its views",
        Reason::CoreBroken => "try again; if it comes back, report it with what the server's log says",
        Reason::WorkFull | Reason::ExportsFull => "others are to end first; nothing is lost by trying again",
        Reason::ExportBrokenOff => "the rows that came before can be exported now",
        Reason::StatementNotFound
        | Reason::StatementWithoutRows
        | Reason::ColumnNotFound
        | Reason::RowOutOfRange
        | Reason::ViewNotFound
        | Reason::ViewNotReady
        | Reason::ViewInvalid
        | Reason::ResultIdInvalid
        | Reason::ResultUnreadable
        | Reason::ResultLimit
        | Reason::ExportUnfit
        | Reason::HostForeign
        | Reason::OriginForeign
        | Reason::CodeInvalid
        | Reason::CallsFull
        | Reason::ResolveFailed
        | Reason::ConnectFailed
        | Reason::TlsFailed
        | Reason::ProtocolBroken
        | Reason::ConnectionLost
        | Reason::FileUnusable
        | Reason::SessionForeign
        | Reason::SessionState
        | Reason::Unsupported
        | Reason::LimitReached
        | Reason::DriverBroken
        | Reason::NameTaken
        | Reason::SessionIdInvalid
        | Reason::SessionNotFound
        | Reason::MemoryLimit
        | Reason::SessionsFull
        | Reason::SessionBusy
        | Reason::SessionEnded
        | Reason::LeasesFull
        | Reason::NothingRuns
        | Reason::WatchersFull
        | Reason::StreamIdle
        | Reason::Cancelled
        | Reason::DriverStartFailed
        | Reason::DriverDied
        | Reason::DriverBrokeContract
        | Reason::StoreFailed
        | Reason::ShuttingDown => "",
    }
}

/// The system's words for an error, without the number that the standard library appends.
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words);
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// An error and its causes in one line, each after a colon.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn status(code: Code, reason: &str) -> Status {
        let details = ErrorDetails::with_error_info(reason, "querybox", []);
        Status::with_error_details(code, "it failed", details)
    }

    #[test]
    fn a_status_exits_by_its_reason() {
        assert_eq!(Failure::from(status(Code::NotFound, "PLUGIN_NOT_FOUND")).exit, Exit::Machinery);
        assert_eq!(Failure::of_named_driver(status(Code::NotFound, "PLUGIN_NOT_FOUND")).exit, Exit::Usage);
        assert_eq!(Failure::from(status(Code::DeadlineExceeded, "DEADLINE")).exit, Exit::Limit);
    }

    #[test]
    fn a_field_of_cores_is_no_parameter_of_a_drivers() {
        let check = |field: &str, message: &str, hint: &str| {
            let details = ErrorDetails::with_error_info(
                "PARAMETER_INVALID",
                "querybox",
                [("field".to_owned(), field.to_owned())],
            );
            let text = format!("{field} is wrong");
            let failure = Failure::from(Status::with_error_details(Code::InvalidArgument, text, details));
            assert_eq!((failure.message.as_str(), failure.hint.as_str()), (message, hint));
        };
        check("spec.name", "name is wrong", NAME_HINT);
        check("name", "name is wrong", NAME_HINT);
        check("spec.folder", "folder is wrong", "");
        check("url", "url is wrong", "");
        check("file", "file is wrong", hint_for(Reason::ParameterInvalid));
    }

    #[test]
    fn a_status_without_a_known_reason_exits_by_its_code() {
        assert_eq!(Failure::from(status(Code::ResourceExhausted, "OF_THE_FUTURE")).exit, Exit::Limit);
        assert_eq!(Failure::from(Status::unknown("h2 protocol error")).exit, Exit::Machinery);
    }

    #[test]
    fn a_full_disk_and_a_closed_pipe_are_told_apart() {
        let full = Failure::writing("out.csv", &io::ErrorKind::StorageFull.into());
        assert_eq!(
            (full.exit, full.message.as_str()),
            (Exit::Machinery, "disk is full: cannot write out.csv")
        );
        let closed = Failure::writing("standard output", &io::ErrorKind::BrokenPipe.into());
        assert_eq!((closed.exit, closed.message.as_str()), (Exit::PipeClosed, ""));
    }

    #[test]
    fn errors_of_the_system_are_told_without_numbers() {
        assert_eq!(describe(&io::Error::from_raw_os_error(2)), "no such file or directory");
    }
}
