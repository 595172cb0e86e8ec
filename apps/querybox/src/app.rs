//! What a verb works with once Core is there, and how Core goes again.

use std::{path::Path, sync::Arc, time::Duration};

use querybox_core::Core;
use tokio::time::timeout;

use crate::{
    composition::{self, Channel},
    config::Config,
    failure::Failure,
    first_run,
    home::Home,
    messages::Messages,
};

/// Core kills what does not end within its grace; beyond this something is wrong, and waiting does not mend it.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// Core in this process, and the voice to people.
pub(crate) struct App {
    pub channel: Channel,
    pub messages: Messages,
    core: Arc<Core>,
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
        Ok(App { channel, messages, core })
    }

    /// Waits until every driver is gone and the store is closed.
    pub(crate) async fn close(self) {
        let App { channel, core, .. } = self;
        drop(channel);
        if timeout(SHUTDOWN_MAX, core.shutdown()).await.is_err() {
            tracing::warn!("Core did not shut down in time");
        }
    }
}
