//! What a user has been told once: weaknesses of this machine that are the same at every query.
//!
//! A warning at each query teaches people to overlook warnings, so each sentence is told once for a home, and again with
//! `--verbose`.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

/// More sentences than there are kinds of weakness: then something is odd, and everything is told.
const SENTENCES_MAX: usize = 100;

/// Remembers sentences in a file of the home, one a line.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    path: PathBuf,
}

impl Told {
    pub(crate) fn new(path: PathBuf) -> Told {
        Told { path }
    }

    /// Whether the sentence is new; from now on it is not. Where nothing can be remembered every sentence is new.
    pub(crate) fn is_new(&self, sentence: &str) -> bool {
        let line = sentence.replace('\n', " ");
        let known = fs::read_to_string(&self.path).unwrap_or_default();
        if known.lines().any(|known| known == line) {
            return false;
        }
        if known.lines().count() < SENTENCES_MAX {
            // Two programs at once may both tell it, which does no harm. That the disk is full is not worth a word here.
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path);
            let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_new_once() {
        let folder = tempfile::tempdir().unwrap();
        let told = Told::new(folder.path().join("told"));
        assert!(told.is_new("The kernel is old."));
        assert!(!told.is_new("The kernel is old."));
        assert!(told.is_new("The kernel is\nolder."));
        assert!(!told.is_new("The kernel is\nolder."));
    }

    #[test]
    fn where_nothing_is_remembered_everything_is_told() {
        let told = Told::new("/nowhere/told".into());
        assert!(told.is_new("The kernel is old."));
        assert!(told.is_new("The kernel is old."));
    }
}
