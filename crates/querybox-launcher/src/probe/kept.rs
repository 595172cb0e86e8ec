//! Answers that outlive the program: a command that runs once need not ask a driver again that another one has asked.
//!
//! They lie in one file, under what each driver's file was when it answered. An answer is checked as a fresh one is, so that
//! the file can say nothing that a driver could not; and what is started is pinned to the same state of its file. A file that
//! others may write to, or that cannot be read, counts as absent.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    hash::{DefaultHasher, Hasher as _},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

use querybox_contracts::plugin::v1 as pb;
use querybox_jail::Pin;
use rustix::{fs::OFlags, process::geteuid};
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::order::DriverFile;

/// Far more than the drivers that a person has say together.
const BYTES_MAX: u64 = 16 << 20;
/// Beyond these the answers of files that are gone fill the file, and it begins anew.
const ANSWERS_MAX: usize = 64;

/// What files have said before, and where that is kept.
pub(crate) struct Kept {
    place: PathBuf,
    /// None: not read yet.
    answers: Mutex<Option<HashMap<PathBuf, Answer>>>,
}

/// What one file has said.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    pin: Pin,
    /// The contract that it was read by. Another one may know more of what the driver said.
    contract: u64,
    info: pb::PluginInfo,
}

impl Kept {
    pub(crate) fn new(place: PathBuf) -> Self {
        Self { place, answers: Mutex::new(None) }
    }

    /// What the file has said in this state.
    pub(crate) fn find(&self, file: &DriverFile) -> Option<pb::PluginInfo> {
        // Every change is whole before anything can panic.
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = answers.get_or_insert_with(|| read(&self.place));
        let is_of = |answer: &&Answer| answer.pin == file.pin() && answer.contract == contract();
        answers.get(file.path()).filter(is_of).map(|answer| answer.info.clone())
    }

    /// Keeps what the file has said. A failure costs no more than another question.
    pub(crate) fn keep(&self, file: &DriverFile, info: &pb::PluginInfo) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        // Another program may have kept something meanwhile.
        let mut now = read(&self.place);
        if now.len() >= ANSWERS_MAX {
            now.clear();
        }
        let answer = Answer { pin: file.pin(), contract: contract(), info: info.clone() };
        now.insert(file.path().to_owned(), answer);
        if let Err(error) = write(&self.place, &now) {
            debug!(place = %self.place.display(), %error, "what a driver said is not kept");
        }
        *answers = Some(now);
    }
}

/// Which contracts this program was built with. Where it comes out otherwise, drivers are asked once more.
fn contract() -> u64 {
    static CONTRACT: LazyLock<u64> = LazyLock::new(|| {
        let mut hasher = DefaultHasher::new();
        hasher.write(querybox_contracts::DESCRIPTORS);
        hasher.finish()
    });
    *CONTRACT
}

fn read(place: &Path) -> HashMap<PathBuf, Answer> {
    match read_own(place) {
        Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
            debug!(place = %place.display(), %error, "what drivers said cannot be read");
            HashMap::new()
        }),
        Err(error) => {
            debug!(place = %place.display(), %error, "nothing is known of what drivers said");
            HashMap::new()
        }
    }
}

/// The content of a file that only this user could have written.
fn read_own(place: &Path) -> io::Result<Vec<u8>> {
    // Opening a FIFO would wait for its writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(place)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may write to it"));
    }
    let mut text = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

/// Puts a whole file in the place of the old one, so that whoever reads meanwhile finds one of them.
fn write(place: &Path, answers: &HashMap<PathBuf, Answer>) -> io::Result<()> {
    let mut name = place.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let fresh = PathBuf::from(name);
    let written = (|| {
        // One that is there was left by a process of the same number, which is gone.
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec(answers)?)?;
        fs::rename(&fresh, place)
    })();
    if written.is_err() {
        // It is of no use, and may not be there.
        let _ = fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Site {
        folder: tempfile::TempDir,
        driver: DriverFile,
    }

    impl Site {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("driver");
            fs::write(&path, "one").unwrap();
            Self { driver: DriverFile::look_at(&path).unwrap(), folder }
        }

        fn place(&self) -> PathBuf {
            self.folder.path().join("drivers.json")
        }

        fn found(&self) -> Option<String> {
            Kept::new(self.place()).find(&self.driver).map(|info| info.name)
        }
    }

    fn info(name: &str) -> pb::PluginInfo {
        pb::PluginInfo { name: name.to_owned(), ..pb::PluginInfo::default() }
    }

    #[test]
    fn an_answer_is_kept_for_the_state_of_the_file_that_gave_it() {
        let site = Site::new();
        assert_eq!(site.found(), None);
        Kept::new(site.place()).keep(&site.driver, &info("Test"));
        assert_eq!(site.found().as_deref(), Some("Test"));
        assert_eq!(fs::metadata(site.place()).unwrap().permissions().mode() & 0o777, 0o600);

        fs::write(site.driver.path(), "another").unwrap();
        let changed = DriverFile::look_at(site.driver.path()).unwrap();
        assert!(Kept::new(site.place()).find(&changed).is_none());
        let left: Vec<_> = fs::read_dir(site.folder.path()).unwrap().collect();
        assert_eq!(left.len(), 2, "the driver and the answers: {left:?}");
    }

    #[test]
    fn an_answer_that_was_read_by_another_contract_is_asked_for_again() {
        let site = Site::new();
        Kept::new(site.place()).keep(&site.driver, &info("Test"));
        let mut answers = read(&site.place());
        answers.values_mut().for_each(|answer| answer.contract ^= 1);
        write(&site.place(), &answers).unwrap();
        assert_eq!(site.found(), None);
    }

    #[test]
    fn programs_keep_what_others_have_kept() {
        let site = Site::new();
        let (one, other) = (Kept::new(site.place()), Kept::new(site.place()));
        assert!(one.find(&site.driver).is_none() && other.find(&site.driver).is_none());
        let second = site.folder.path().join("second");
        fs::write(&second, "two").unwrap();
        other.keep(&DriverFile::look_at(&second).unwrap(), &info("Second"));
        one.keep(&site.driver, &info("First"));
        assert!(Kept::new(site.place()).find(&DriverFile::look_at(&second).unwrap()).is_some());
    }

    #[test]
    fn what_others_could_have_written_is_not_believed() {
        let site = Site::new();
        Kept::new(site.place()).keep(&site.driver, &info("Test"));
        let text = fs::read(site.place()).unwrap();
        let mode = |mode| fs::set_permissions(site.place(), fs::Permissions::from_mode(mode)).unwrap();
        mode(0o620);
        assert_eq!(site.found(), None);
        mode(0o602);
        assert_eq!(site.found(), None);
        mode(0o600);
        assert_eq!(site.found().as_deref(), Some("Test"), "the same file, closed");

        let moved = site.folder.path().join("moved");
        fs::rename(site.place(), &moved).unwrap();
        std::os::unix::fs::symlink(&moved, site.place()).unwrap();
        assert_eq!(site.found(), None, "a link");
        fs::remove_file(site.place()).unwrap();
        fs::write(site.place(), &text[..text.len() - 1]).unwrap();
        assert_eq!(site.found(), None, "cut short");
    }
}
