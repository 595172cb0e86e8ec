//! Asking a file what kind of driver it is.

mod kept;

use std::{
    collections::HashMap,
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use querybox_contracts::plugin::v1 as pb;
use querybox_jail::{EXIT_NOT_EXECUTED, Ids, Limits, Refused, Step};
use tokio::{io::AsyncReadExt, net::unix::pipe, sync::OnceCell};

use crate::{
    info::{DriverInfo, InfoFault},
    order::{Deadline, DriverFile, StartOrder},
    printable::printable,
    process::{
        Nursery,
        ending::{Cause, Ending},
    },
    start::{Purpose, StartError, Started, start},
};

pub(crate) use kept::Kept;

/// The contract's time for an answer, from the start of the process to its end.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Longer than any form that a person would fill in.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Of an answer that cannot be read, this much is shown.
const BEGINNING_BYTES: usize = 200;

/// The contract's major version that this crate speaks.
const CONTRACT_VERSION: u64 = 1;

/// Some runtimes reserve a lot before they print a line. It writes no file at all.
const LIMITS: Limits = Limits { memory_bytes_max: 512 << 20, descriptors_max: 256, file_bytes_max: Some(0) };

/// A driver that said what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// The file, in the state in which it said so.
    pub file: DriverFile,
    /// What it said, checked.
    pub info: DriverInfo,
    /// What it said, as it said it.
    pub wire: pb::PluginInfo,
}

/// Why a file is no usable driver.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It is not there, or cannot be executed.
    #[error("it cannot be executed: {reason}")]
    NotExecutable {
        /// Why, for people.
        reason: String,
    },
    /// It did not answer in time.
    #[error("it did not answer `info` within {waited:?}")]
    Hung {
        /// How long was waited.
        waited: Duration,
    },
    /// It printed something else.
    #[error("its answer to `info` is no plugin info: {reason}")]
    Garbage {
        /// The first bytes of it, made printable.
        beginning: String,
        /// What is wrong.
        reason: String,
    },
    /// It speaks another version of the contract.
    #[error("it speaks version {found} of the plugin contract; this QueryBox speaks {CONTRACT_VERSION}")]
    UnsupportedContract {
        /// The version.
        found: u64,
    },
    /// It says something of itself that cannot be.
    #[error("what it says of itself is not valid")]
    Invalid(#[source] InfoFault),
    /// It ended without an answer.
    #[error("it ended without an answer to `info`: {0}")]
    Ended(Arc<Ending>),
    /// The jail could not be set up, which is no fault of the file's.
    #[error("it could not be asked")]
    Start(#[source] StartError),
}

/// What files said, by where they lie.
#[derive(Default)]
pub(crate) struct Probed {
    questions: Mutex<HashMap<PathBuf, Arc<Question>>>,
    /// None: nothing outlives this program.
    kept: Option<Arc<Kept>>,
}

/// A file in one state, and what it answers. A hundred sessions that begin at once ask one process: with one each, a machine
/// that is busy would let them all come too late.
struct Question {
    file: DriverFile,
    answer: OnceCell<Result<Arc<Described>, Arc<ProbeError>>>,
}

impl Probed {
    pub(crate) fn keeping(kept: Kept) -> Self {
        Self { kept: Some(Arc::new(kept)), ..Self::default() }
    }

    /// The question to the file, which may have its answer already. One that has failed is asked anew.
    fn question(&self, file: DriverFile) -> Arc<Question> {
        // Every change is whole before anything can panic.
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        match questions.get(file.path()) {
            Some(question) if question.file == file && !question.has_failed() => Arc::clone(question),
            Some(_) | None => {
                let path = file.path().to_owned();
                let question = Arc::new(Question { file, answer: OnceCell::new() });
                questions.insert(path, Arc::clone(&question));
                question
            }
        }
    }
}

impl Question {
    fn has_failed(&self) -> bool {
        self.answer.get().is_some_and(Result::is_err)
    }
}

pub(crate) async fn probe(
    nursery: &Arc<Nursery>,
    unprivileged: Ids,
    probed: &Probed,
    path: &Path,
) -> Result<Arc<Described>, Arc<ProbeError>> {
    let not_executable = |error: io::Error| ProbeError::NotExecutable { reason: error.to_string() };
    let question = probed.question(DriverFile::look_at(path).map_err(not_executable)?);
    // When the one who asks goes, one of those who wait asks anew.
    let answer = question.answer.get_or_init(async || {
        if let Some(described) = known(probed, &question.file).await {
            return Ok(Arc::new(described));
        }
        let described = run(nursery, unprivileged, question.file.clone()).await.map_err(Arc::new)?;
        keep(probed, &described).await;
        Ok(Arc::new(described))
    });
    answer.await.clone()
}

/// What the file said to a program before this one.
async fn known(probed: &Probed, file: &DriverFile) -> Option<Described> {
    let (kept, file) = (Arc::clone(probed.kept.as_ref()?), file.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let wire = kept.find(&file)?;
        let info = DriverInfo::try_from(&wire).ok()?;
        (u64::from(wire.contract_version) == CONTRACT_VERSION).then_some(Described { file, info, wire })
    });
    // Only a runtime that shuts down drops blocking work.
    looked.await.ok().flatten()
}

/// Keeps what the file said for the programs after this one.
async fn keep(probed: &Probed, described: &Described) {
    let Some(kept) = probed.kept.clone() else { return };
    let Described { file, wire, .. } = described.clone();
    // As above; and who asks has the answer already.
    let _ = tokio::task::spawn_blocking(move || kept.keep(&file, &wire)).await;
}

/// Runs the file.
async fn run(nursery: &Arc<Nursery>, unprivileged: Ids, file: DriverFile) -> Result<Described, ProbeError> {
    let deadline = Some(Deadline::after(ANSWER_WITHIN));
    let order = StartOrder { driver: file.clone(), grant: None, limits: LIMITS, deadline };
    let answer = ask(start(nursery, unprivileged, &order, Purpose::Info).await).await?;
    let (info, wire) = read(&answer)?;
    Ok(Described { file, info, wire })
}

/// Waits for the answer and the end of the process.
async fn ask(started: Result<Started, StartError>) -> Result<Vec<u8>, ProbeError> {
    let hung = ProbeError::Hung { waited: ANSWER_WITHIN };
    let Started { process, output, channel: _channel, .. } = match started {
        Ok(started) => started,
        Err(StartError::Refused(Refused { step: Step::OpenDriver, message })) => {
            return Err(ProbeError::NotExecutable { reason: message });
        }
        Err(StartError::Ended(ending)) if matches!(ending.cause, Cause::Deadline(_)) => return Err(hung),
        Err(error) => return Err(ProbeError::Start(error)),
    };
    let answer = read_bounded(output).await.map_err(|error| ProbeError::Start(StartError::Spawn(error)))?;
    if answer.len() > ANSWER_BYTES_MAX {
        process.kill();
        return Err(garbage(&answer, format_args!("it is longer than {ANSWER_BYTES_MAX} bytes")));
    }
    let ending = process.ended().await;
    match ending.cause {
        Cause::Exited(0) => Ok(answer),
        Cause::Deadline(_) => Err(hung),
        Cause::Exited(EXIT_NOT_EXECUTED) => {
            Err(ProbeError::NotExecutable { reason: ending.stderr_tail.trim_end().to_owned() })
        }
        Cause::Exited(_)
        | Cause::Signal(_)
        | Cause::Memory { .. }
        | Cause::FileSize { .. }
        | Cause::Killed => Err(ProbeError::Ended(ending)),
    }
}

/// Reads to the end, which comes when the process is gone at the latest, or one byte beyond what is taken.
async fn read_bounded(output: OwnedFd) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let bound = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    pipe::Receiver::from_owned_fd(output)?.take(bound).read_to_end(&mut answer).await?;
    Ok(answer)
}

fn read(answer: &[u8]) -> Result<(DriverInfo, pb::PluginInfo), ProbeError> {
    let json = serde_json::from_slice::<serde_json::Value>(answer).map_err(|error| garbage(answer, error))?;
    // First: a later version may have fields that this one does not know.
    let version = json.get("contractVersion").or_else(|| json.get("contract_version"));
    match version.map(serde_json::Value::as_u64) {
        Some(Some(CONTRACT_VERSION)) => {}
        Some(Some(found)) => return Err(ProbeError::UnsupportedContract { found }),
        Some(None) | None => return Err(garbage(answer, "it says no contractVersion")),
    }
    let wire = serde_json::from_value::<pb::PluginInfo>(json).map_err(|error| garbage(answer, error))?;
    let info = DriverInfo::try_from(&wire).map_err(ProbeError::Invalid)?;
    Ok((info, wire))
}

fn garbage(answer: &[u8], reason: impl std::fmt::Display) -> ProbeError {
    let beginning = printable(&answer[..answer.len().min(BEGINNING_BYTES)]);
    ProbeError::Garbage { beginning, reason: printable(reason.to_string().as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_contract_version_is_told_before_its_unknown_fields_are() {
        let error = read(br#"{"contractVersion": 2, "telepathy": true}"#).unwrap_err();
        assert!(matches!(error, ProbeError::UnsupportedContract { found: 2 }), "{error:?}");
    }

    #[test]
    fn what_is_no_info_is_shown_in_part_and_printable() {
        let noise = [b"\x1b[2J".as_slice(), &[b'x'; 1000]].concat();
        let Err(ProbeError::Garbage { beginning, .. }) = read(&noise) else { panic!() };
        assert!(beginning.starts_with("\\u{1b}[2Jxxx"), "{beginning}");
        assert!(beginning.len() < 300);
        for answer in
            ["", "[]", "{}", r#"{"contractVersion": "one"}"#, r#"{"contractVersion": 1, "name": 7}"#]
        {
            assert!(matches!(read(answer.as_bytes()), Err(ProbeError::Garbage { .. })), "{answer}");
        }
    }
}
