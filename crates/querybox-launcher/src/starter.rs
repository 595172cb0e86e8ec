//! From an order to a driver that can be spoken to.

use std::{sync::Arc, time::Duration};

use querybox_jail::Ids;
use tokio::time::timeout;

use crate::{
    driver::Driver,
    order::StartOrder,
    process::Nursery,
    start::{Purpose, StartError, start},
    transport::{connect, connect_now},
};

/// A driver listens some milliseconds after its start. Nobody waits for one that is started ahead.
const LISTENS_WITHIN: Duration = Duration::from_secs(10);

/// What every start of a driver needs.
#[derive(Clone)]
pub(crate) struct Starter {
    pub(crate) nursery: Arc<Nursery>,
    /// Whom a launcher of root lets its drivers be when no granted file says otherwise.
    pub(crate) unprivileged: Ids,
}

impl Starter {
    /// Starts a driver, confined. Dropping the future kills the process.
    pub(crate) async fn start(&self, order: &StartOrder) -> Result<Driver, StartError> {
        let started = start(&self.nursery, self.unprivileged, order, Purpose::Serve).await?;
        let client = connect(started.channel, &self.nursery);
        Ok(Driver::new(client, started.process, started.enforced, started.output))
    }

    /// Starts a driver and waits until it listens, so that its next user does not wait. It is the same as any other: no
    /// credential, no session.
    pub(crate) async fn start_ahead(&self, order: &StartOrder) -> Result<Driver, StartError> {
        let started = start(&self.nursery, self.unprivileged, order, Purpose::Serve).await?;
        let process = started.process;
        tokio::select! {
            ending = process.ended() => Err(StartError::Ended(ending)),
            connected = timeout(LISTENS_WITHIN, connect_now(started.channel, &self.nursery)) => match connected {
                Ok(Ok((client, traffic))) => {
                    let driver = Driver::new(client, process, started.enforced, started.output);
                    Ok(driver.into_spare(self.clone(), order.clone(), traffic))
                }
                Ok(Err(_)) => {
                    process.kill();
                    Err(StartError::Ended(process.ended().await))
                }
                Err(_) => Err(StartError::Silent { waited: LISTENS_WITHIN }),
            },
        }
    }
}
