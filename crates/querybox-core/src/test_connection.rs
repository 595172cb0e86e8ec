//! Trying a connection, stage by stage.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use querybox_launcher::{Launcher, OpenOrder, StageOutcome, StartError, StartOrder, TestPart};
use querybox_store::{Deadline, Outcome};
use querybox_vault::Secret;
use tokio::time::Instant;

use crate::{
    Core, Verb,
    happening::Telling,
    session::{
        Answers, Ended, Event, Kind, SessionError, SessionId, StatementLimits, Tally, Target, Watch,
        derive_outcome, start_driver,
    },
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
        let beginning = self.begin(session_id, Kind::OneShot, Verb::Test, Deadline::Default)?;
        let prepared = beginning.prepare(self, target, secrets).await?;
        let (request, begun) = (beginning.request(&prepared), beginning.begun());
        let (watch, answers) = beginning.watch(self, &prepared);
        let (start, open) = self.orders(session_id, prepared);
        let telling = Telling::begin(&self.observers, request, begun);
        self.tracker.spawn(run(watch, Arc::clone(&self.launcher), start, open, telling));
        Ok(answers)
    }
}

async fn run(
    mut watch: Watch<TestStep>,
    launcher: Arc<Launcher>,
    start: StartOrder,
    open: OpenOrder,
    telling: Telling,
) {
    let mut passed = true;
    let last = try_stages(&mut watch, &launcher, &start, open, &telling, &mut passed).await;
    let outcome = match derive_outcome(false, false, &last) {
        Outcome::Done if !passed => Outcome::Failed,
        outcome => outcome,
    };
    telling.end(outcome, &Tally::new(StatementLimits::default()));
    watch.conclude(VecDeque::new(), last.map(|()| Ended::default())).await;
}

/// Dropping any of the calls ends the driver: nothing of it is worth a grace.
async fn try_stages(
    watch: &mut Watch<TestStep>,
    launcher: &Launcher,
    start: &StartOrder,
    open: OpenOrder,
    telling: &Telling,
    passed: &mut bool,
) -> Result<(), SessionError> {
    let begun = Instant::now();
    let started = watch.unless_interrupted(start_driver(launcher, start, telling)).await?;
    let elapsed = begun.elapsed();
    let driver = match started {
        Ok(driver) => driver,
        Err(error) => {
            *passed = false;
            let outcome = Err(error);
            return Ok(watch.give(Event::Part(TestStep::DriverStart { elapsed, outcome })).await?);
        }
    };
    watch.give(Event::Part(TestStep::DriverStart { elapsed, outcome: Ok(()) })).await?;
    let mut stages = watch.unless_interrupted(driver.test(open)).await??;
    while let Some(stage) = watch.unless_interrupted(stages.next()).await?? {
        *passed &= matches!(stage.outcome, StageOutcome::Passed(_));
        watch.give(Event::Part(TestStep::Stage(Box::new(stage)))).await?;
    }
    Ok(())
}
