//! Keyrings that do what a test needs at one moment, in front of one that keeps entries.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use querybox_core::{KeyringEntry, KeyringError, KeyringPort, Secret};
use rustix::process::{Signal, getpid, kill_process};
use tokio::{sync::oneshot, time::timeout};

/// Entries as files of a folder, for several programs.
#[derive(Clone)]
pub(super) struct FolderKeyring(PathBuf);

impl FolderKeyring {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    fn path(&self, entry: &KeyringEntry<'_>) -> PathBuf {
        self.0.join(format!("{}.{}", entry.store, entry.id))
    }

    pub(super) fn len(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }
}

fn failed(error: io::Error) -> KeyringError {
    KeyringError::Failed { why: error.to_string() }
}

impl KeyringPort for FolderKeyring {
    fn probe(&self) -> Result<(), KeyringError> {
        Ok(())
    }

    fn add(&self, entry: &KeyringEntry<'_>, _: &str, secret: &Secret) -> Result<(), KeyringError> {
        let mut file = File::create_new(self.path(entry)).map_err(failed)?;
        file.write_all(secret.expose()).map_err(failed)
    }

    fn get(&self, entry: &KeyringEntry<'_>) -> Result<Option<Secret>, KeyringError> {
        match fs::read(self.path(entry)) {
            Ok(bytes) => Ok(Some(Secret::new(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn delete(&self, entry: &KeyringEntry<'_>) -> Result<bool, KeyringError> {
        match fs::remove_file(self.path(entry)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

/// A moment of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Probe,
    BeforeAdd,
    AfterAdd,
    BeforeGet,
    AfterGet,
    BeforeDelete,
    AfterDelete,
}

/// What happens at each moment.
pub(super) trait Script: Send + Sync {
    fn at(&self, moment: Moment);
}

/// A keyring with something to happen around its calls. It knows which entries were ever made.
pub(super) struct Scripted<S> {
    inner: Arc<dyn KeyringPort>,
    added: Arc<Mutex<Vec<(String, String)>>>,
    script: S,
}

impl<S: Script> Scripted<S> {
    pub(super) fn new(inner: Arc<dyn KeyringPort>, added: &Added, script: S) -> Arc<Self> {
        Arc::new(Self { inner, added: Arc::clone(&added.0), script })
    }
}

/// Entries that were made, the names of their stores and their own.
#[derive(Clone, Default)]
pub(super) struct Added(Arc<Mutex<Vec<(String, String)>>>);

impl Added {
    /// Those that are there still.
    pub(super) fn there(&self, keyring: &dyn KeyringPort) -> Vec<String> {
        let added = self.0.lock().unwrap().clone();
        let is_there =
            |(store, id): &(String, String)| keyring.get(&KeyringEntry { store, id }).unwrap().is_some();
        added.into_iter().filter(is_there).map(|(_, id)| id).collect()
    }
}

impl<S: Script> KeyringPort for Scripted<S> {
    fn probe(&self) -> Result<(), KeyringError> {
        self.script.at(Moment::Probe);
        self.inner.probe()
    }

    fn add(&self, entry: &KeyringEntry<'_>, label: &str, secret: &Secret) -> Result<(), KeyringError> {
        self.script.at(Moment::BeforeAdd);
        self.added.lock().unwrap().push((entry.store.to_owned(), entry.id.to_owned()));
        let added = self.inner.add(entry, label, secret);
        self.script.at(Moment::AfterAdd);
        added
    }

    fn get(&self, entry: &KeyringEntry<'_>) -> Result<Option<Secret>, KeyringError> {
        self.script.at(Moment::BeforeGet);
        let found = self.inner.get(entry);
        self.script.at(Moment::AfterGet);
        found
    }

    fn delete(&self, entry: &KeyringEntry<'_>) -> Result<bool, KeyringError> {
        self.script.at(Moment::BeforeDelete);
        let deleted = self.inner.delete(entry);
        self.script.at(Moment::AfterDelete);
        deleted
    }
}

/// Nothing happens.
pub(super) struct Plain;

impl Script for Plain {
    fn at(&self, _: Moment) {}
}

/// Stops at a moment, the first time, until it is let go.
pub(super) struct Gate {
    moment: Moment,
    ends: Mutex<Option<(oneshot::Sender<()>, mpsc::Receiver<()>)>>,
}

/// Whoever waits for a gate.
pub(super) struct Held {
    reached: oneshot::Receiver<()>,
    release: mpsc::Sender<()>,
}

impl Gate {
    pub(super) fn at(moment: Moment) -> (Gate, Held) {
        let (reach, reached) = oneshot::channel();
        let (release, released) = mpsc::channel();
        (Gate { moment, ends: Mutex::new(Some((reach, released))) }, Held { reached, release })
    }
}

impl Script for Gate {
    fn at(&self, moment: Moment) {
        if moment != self.moment {
            return;
        }
        let ends = self.ends.lock().unwrap().take();
        if let Some((reach, released)) = ends {
            reach.send(()).unwrap();
            // Whoever held it may be gone, with a failure of its own.
            let _ = released.recv();
        }
    }
}

impl Held {
    /// Does something at that moment.
    pub(super) async fn meanwhile<T>(self, work: impl Future<Output = T>) -> T {
        let Held { reached, release } = self;
        timeout(Duration::from_secs(60), reached).await.expect("the moment comes").unwrap();
        let done = work.await;
        release.send(()).unwrap();
        done
    }
}

/// Kills this program at the n-th moment, from 1.
pub(super) struct Death {
    moments: AtomicUsize,
    at: usize,
}

impl Death {
    pub(super) fn at(at: usize) -> Death {
        Death { moments: AtomicUsize::new(0), at }
    }
}

impl Script for Death {
    fn at(&self, _: Moment) {
        if self.moments.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            kill_process(getpid(), Signal::KILL).unwrap();
            // It may take a moment to arrive, in which nothing goes on.
            std::thread::sleep(Duration::from_secs(60));
        }
    }
}
