//! What a verb works with once Core is there, and how Core goes again.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use querybox_core::Core;
use tokio::time::timeout;

use crate::{
    composition::{self, Channel},
    config::Config,
    failure::Failure,
    first_run,
    home::Home,
    messages::Messages,
    told::Told,
};

/// Core kills what does not end within its grace; beyond this something is wrong, and waiting does not mend it.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// Core in this process, and the voice to people.
pub(crate) struct App {
    pub channel: Channel,
    pub(crate) messages: Messages,
    pub(crate) told: Told,
    pub(crate) home: Home,
    /// The user has asked for a file of what is typed in the shell.
    pub(crate) keeps_history: bool,
    core: Arc<Core>,
    leaves_at_once: AtomicBool,
}

impl App {
    /// Opens Core in its home. The first time the sample is made.
    pub(crate) async fn open(home: Option<&Path>, messages: Messages) -> Result<App, Failure> {
        let programs = composition::programs()?;
        let config = Config::read(home, &programs)?;
        let home = Home::open(config.home.clone())?;
        let core = composition::compose(&config, &home, &programs).await?;
        let channel = Channel::new(Arc::clone(&core));
        first_run::make_sample(&home, &channel, &messages).await;
        Ok(App {
            channel,
            messages,
            told: Told::new(home.told()),
            home,
            keeps_history: config.keeps_history,
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
        // What runs still was stopped by the user, or nobody waits for it.
        if timeout(SHUTDOWN_MAX, core.shutdown(Duration::ZERO)).await.is_err() {
            tracing::warn!("Core did not shut down in time");
        }
    }
}
