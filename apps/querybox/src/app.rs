//! What a verb works with once Core is there, and how Core goes again.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use querybox_core::{Core, QueryText};
use tokio::time::timeout;

use crate::{
    channel::Channel,
    composition::{self, Host},
    config::Config,
    failure::Failure,
    first_run,
    home::Home,
    messages::Messages,
    remote::{self, ServerUrl},
    serve,
    told::Told,
};

/// Core kills what does not end within its grace; beyond this something is wrong, and waiting does not mend it.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// Where Core is: in this process with a home, or with the server of one.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// What the flag or the environment says. `None`: the user's own.
    pub(crate) home: Option<PathBuf>,
    /// `None`: Core is in this process.
    pub(crate) server: Option<ServerUrl>,
    /// A file of authorities that a server's certificate is to be of. `None`: those that browsers trust.
    pub(crate) authorities: Option<PathBuf>,
}

impl Place {
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// The server that is named, or else the one that serves the home.
    pub(crate) fn of_running_server(self) -> Result<Place, Failure> {
        if self.server.is_some() {
            return Ok(self);
        }
        let config = Config::read(self.home(), &composition::programs()?)?;
        let address = serve::running(&serve::lock_file(&config.home));
        match address.and_then(|address| address.parse().ok()) {
            Some(server) => Ok(Place { server: Some(server), ..self }),
            None => Err(Failure::usage("no server of this home runs")
                .with_hint("`querybox serve` starts one; `--server` names one of another home")),
        }
    }
}

/// Core, and the voice to people.
pub(crate) struct App {
    pub channel: Channel,
    pub(crate) messages: Messages,
    pub(crate) told: Told,
    pub(crate) home: Home,
    /// The user has asked for a file of what is typed in the shell.
    pub(crate) keeps_history: bool,
    /// `None`: Core is this process's own.
    pub(crate) server: Option<ServerUrl>,
    core: Option<Arc<Core>>,
    leaves_at_once: AtomicBool,
}

impl App {
    /// Opens Core in its home, the first time with the sample made, or goes to a server's.
    pub(crate) async fn open(place: &Place, messages: Messages) -> Result<App, Failure> {
        let programs = composition::programs()?;
        let config = Config::read(place.home(), &programs)?;
        let home = Home::open(config.home.clone())?;
        let (channel, core) = match &place.server {
            Some(server) => {
                let authorities = place.authorities.as_deref();
                (remote::connect(server, authorities, &home.token()).await?, None)
            }
            None => {
                let core =
                    composition::compose(&config, &home, &programs, Host::Command, QueryText::Off).await?;
                let channel = Channel::here(Arc::clone(&core));
                first_run::make_sample(&home, &channel, &messages).await;
                (channel, Some(core))
            }
        };
        Ok(App {
            channel,
            messages,
            told: Told::new(home.told()),
            home,
            keeps_history: config.keeps_history,
            server: place.server.clone(),
            core,
            leaves_at_once: AtomicBool::new(false),
        })
    }

    /// The user will not wait: the end of this process ends its drivers, and the store stands a cut.
    pub(crate) fn leave_at_once(&self) {
        self.leaves_at_once.store(true, Ordering::Relaxed);
    }

    /// Waits until every driver is gone and the store is closed.
    pub(crate) async fn close(self) {
        let App { channel, core, leaves_at_once, .. } = self;
        if leaves_at_once.into_inner() {
            return;
        }
        drop(channel);
        // What a server runs for this command is cancelled by the end of its connection.
        let Some(core) = core else { return };
        // What runs still was stopped by the user, or nobody waits for it.
        if timeout(SHUTDOWN_MAX, core.shutdown(Duration::ZERO)).await.is_err() {
            tracing::warn!("Core did not shut down in time");
        }
    }
}
