//! The drivers that lie in the plugin folders.
//!
//! Folders count in their order. In one folder a file named `querybox-driver-<type>` comes before files of other names, and
//! these come by name; the first driver of a type is the one that is used. Such a file must be a driver of the type that its
//! name says, so that looking for one type need not start every other driver: [`Plugins::find`] asks the files that may be
//! of that type, in that order, and stops at the first that is. [`Plugins::list`] asks every file, two at a time.
//!
//! Nothing is kept here. Answers are kept by the launcher under the file's identity, so that a file which did not change is not
//! started again.

mod folder;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt as _, TryFutureExt as _, stream};
use querybox_launcher::{Described, DriverInfo, Launcher, ProbeError};
use querybox_store::DriverType;

use folder::{Candidate, candidates};

/// Drivers that are asked at the same time when all are: each is a process, and there may be as few as two processors.
const PROBES_MAX: usize = 2;

/// One file of a plugin folder.
#[derive(Debug, Clone)]
pub struct Plugin {
    pub path: PathBuf,
    pub state: PluginState,
}

/// What became of a file of a plugin folder.
#[derive(Debug, Clone)]
pub enum PluginState {
    /// The driver of its type.
    Usable(Arc<Described>),
    /// A driver whose type another file has already.
    Shadowed { described: Arc<Described>, by: PathBuf },
    /// Not a driver.
    Broken(Arc<PluginError>),
}

/// Why a file of a plugin folder is not a driver.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    #[error(transparent)]
    Probe(#[from] Arc<ProbeError>),
    /// See the page of this module for what its name promises.
    #[error("it is a driver for {found}, but its name says {named}")]
    Misnamed { named: String, found: String },
}

/// What lies in the plugin folders.
#[derive(Debug, Clone)]
pub struct Listing {
    /// In the order of the folders, then by file name.
    pub plugins: Vec<Plugin>,
    /// The folders that exist, in their order.
    pub folders: Vec<PathBuf>,
}

impl Listing {
    /// The drivers that can be used.
    pub(crate) fn usable(&self) -> impl Iterator<Item = &DriverInfo> {
        self.plugins.iter().filter_map(|plugin| match &plugin.state {
            PluginState::Usable(described) => Some(&described.info),
            PluginState::Shadowed { .. } | PluginState::Broken(_) => None,
        })
    }
}

pub(crate) struct Plugins {
    folders: Vec<PathBuf>,
    launcher: Arc<Launcher>,
    /// What the last full look found.
    listed: Mutex<Option<Arc<Listing>>>,
}

impl Plugins {
    pub(crate) fn new(folders: Vec<PathBuf>, launcher: Arc<Launcher>) -> Self {
        Self { folders, launcher, listed: Mutex::new(None) }
    }

    /// What the last full look found; looks when there was none.
    pub(crate) async fn list(&self) -> Arc<Listing> {
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match listed {
            Some(listing) => listing,
            None => self.rescan().await,
        }
    }

    /// Looks at every file.
    pub(crate) async fn rescan(&self) -> Arc<Listing> {
        let found = candidates(self.folders.clone()).await;
        let asked: Vec<_> = stream::iter(found.files)
            .map(|candidate| async move {
                let answer = self.ask(&candidate).await;
                (candidate, answer)
            })
            .buffered(PROBES_MAX)
            .collect()
            .await;
        let listing = Arc::new(Listing { plugins: settle(asked), folders: found.folders });
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&listing));
        listing
    }

    /// The driver of a type, asking no more files than needed. `None`: there is none.
    pub(crate) async fn find(&self, driver_type: &DriverType) -> Option<Arc<Described>> {
        let found = candidates(self.folders.clone()).await;
        for candidate in found.files.iter().filter(|candidate| candidate.may_be(driver_type.as_str())) {
            // A broken file says why in the listing; for a query it is as good as absent.
            if let Ok(described) = self.ask(candidate).await
                && described.info.driver_type == driver_type.as_str()
            {
                return Some(described);
            }
        }
        None
    }

    /// The driver that takes URLs of a scheme. `None`: there is none.
    pub(crate) async fn find_by_scheme(&self, scheme: &str) -> Option<Arc<Described>> {
        let takes = |described: &Described| described.info.url_schemes.iter().any(|one| one == scheme);
        // Most schemes are the type's own name: that saves asking all the others.
        if let Ok(driver_type) = scheme.parse()
            && let Some(described) = self.find(&driver_type).await
            && takes(&described)
        {
            return Some(described);
        }
        self.list().await.plugins.iter().find_map(|plugin| match &plugin.state {
            PluginState::Usable(described) if takes(described) => Some(Arc::clone(described)),
            PluginState::Usable(_) | PluginState::Shadowed { .. } | PluginState::Broken(_) => None,
        })
    }

    async fn ask(&self, candidate: &Candidate) -> Answer {
        let described = self.launcher.probe(&candidate.path).map_err(PluginError::from).await?;
        match &candidate.named {
            Some(named) if *named != described.info.driver_type => Err(Arc::new(PluginError::Misnamed {
                named: named.clone(),
                found: described.info.driver_type.clone(),
            })),
            Some(_) | None => Ok(described),
        }
    }
}

/// What a file says it is.
type Answer = Result<Arc<Described>, Arc<PluginError>>;

/// The first driver of a type is used, the others are shadowed.
fn settle(asked: Vec<(Candidate, Answer)>) -> Vec<Plugin> {
    let mut used = HashMap::<String, PathBuf>::new();
    asked
        .into_iter()
        .map(|(Candidate { path, .. }, answer)| {
            let state = match answer {
                Err(error) => PluginState::Broken(error),
                Ok(described) => match used.get(&described.info.driver_type) {
                    Some(by) => PluginState::Shadowed { by: by.clone(), described },
                    None => {
                        used.insert(described.info.driver_type.clone(), path.clone());
                        PluginState::Usable(described)
                    }
                },
            };
            Plugin { path, state }
        })
        .collect()
}
