//! Trying a connection, stage by stage.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use querybox_launcher::{Launcher, OpenOrder, StartError, StartOrder, TestPart};
use querybox_store::Deadline;
use querybox_vault::Secret;
use tokio::time::Instant;

use crate::{
    Core,
    session::{Answers, Ended, Event, Kind, SessionError, SessionId, Target, Watch},
};

/// Tries a connection, as one session.
#[derive(Debug)]
pub struct TestRequest {
    pub session_id: SessionId,
    pub target: Target,
    /// By the names of their fields. Moved to the driver's socket and wiped.
    pub secrets: Vec<(String, Secret)>,
}

/// A stage of a test that has ended.
#[derive(Debug)]
pub enum TestStep {
    /// The driver's process was started and confined, or could not be, and nothing follows. Always the first.
    DriverStart { elapsed: Duration, outcome: Result<(), StartError> },
    /// What the driver tried.
    Stage(Box<TestPart>),
}

impl Core {
    /// Tries a connection stage by stage; each stage is an [`Event::Part`]. Dropping the stream ends the driver.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute). That the driver does not start is a stage that failed.
    pub async fn test_connection(&self, request: TestRequest) -> Result<Answers<TestStep>, SessionError> {
        let TestRequest { session_id, target, secrets } = request;
        let beginning = self.begin(session_id, Kind::OneShot, Deadline::Default)?;
        let prepared = beginning.prepare(self, target, secrets).await?;
        let (watch, answers) = beginning.watch(self, &prepared);
        let (start, open) = self.orders(session_id, prepared);
        self.tracker.spawn(run(watch, Arc::clone(&self.launcher), start, open));
        Ok(answers)
    }
}

async fn run(mut watch: Watch<TestStep>, launcher: Arc<Launcher>, start: StartOrder, open: OpenOrder) {
    let last = try_stages(&mut watch, &launcher, &start, open).await;
    watch.conclude(VecDeque::new(), last.map(|()| Ended::default())).await;
}

/// Dropping any of the calls ends the driver: nothing of it is worth a grace.
async fn try_stages(
    watch: &mut Watch<TestStep>,
    launcher: &Launcher,
    start: &StartOrder,
    open: OpenOrder,
) -> Result<(), SessionError> {
    let begun = Instant::now();
    let started = watch.unless_interrupted(launcher.start(start)).await?;
    let elapsed = begun.elapsed();
    let driver = match started {
        Ok(driver) => driver,
        Err(error) => {
            let outcome = Err(error);
            return Ok(watch.give(Event::Part(TestStep::DriverStart { elapsed, outcome })).await?);
        }
    };
    watch.give(Event::Part(TestStep::DriverStart { elapsed, outcome: Ok(()) })).await?;
    let mut stages = watch.unless_interrupted(driver.test(open)).await??;
    while let Some(stage) = watch.unless_interrupted(stages.next()).await?? {
        watch.give(Event::Part(TestStep::Stage(Box::new(stage)))).await?;
    }
    Ok(())
}
