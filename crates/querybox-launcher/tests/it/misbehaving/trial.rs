//! One wish, from the start of its driver until nothing is left of it.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use querybox_launcher::{
    CallError, Cause, DdlOrder, Driver, Ending, Fact, ObjectName, OpenDriver, OpenOutcome, Parts, Reason,
    SchemaOrder,
};
use tokio::time::{sleep, timeout};

use crate::{
    house::{open_order, script},
    misbehaving::{held::Held, memory::Mark, neighbour::Neighbour, pen::Pen},
};

/// The deadline of a driver that is expected to reach it.
pub(crate) const DEADLINE: Duration = Duration::from_millis(700);
/// What a driver may outlive its deadline by, and as much again as half of it for a machine that runs other tests too.
const KILLED_WITHIN: Duration = Duration::from_millis(1500);
/// The deadline of all others: they are ended for what they do, long before it.
const FAR_DEADLINE: Duration = Duration::from_secs(20);
const FAILED_WITHIN: Duration = Duration::from_secs(4);
/// From a driver's last word, or its kill, until its process is gone.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// What is asked of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Open,
    Execute,
    /// Reads one part, and no other until the process is gone.
    ExecuteAndWait,
    /// Executes, and cancels after the first part.
    Cancel,
    Schema,
    Ddl,
    Test,
}

/// How the call ends.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer was read to its end.
    Done,
    /// The database refused, in words that contain these. The session goes on.
    Rejected(&'static str),
    /// The driver failed, in words that contain these. It still runs.
    Failed(Reason, &'static str),
    /// The driver broke the contract, told in words that contain these, and is gone.
    Broken(&'static str),
    /// The process ended by itself.
    Ended(Cause),
    /// It was killed after its deadline.
    Deadline,
    /// It was ended for its memory.
    Memory,
}

/// What is known of a driver after a call.
struct Seen {
    result: Result<Option<Fact>, CallError>,
    took: Duration,
    /// Kept until the process was looked at.
    driver: Option<Box<OpenDriver>>,
}

/// Starts the driver with a wish, makes the call, and checks how all of it ends.
pub(crate) async fn check(wish: &str, call: Call, expected: Outcome) {
    check_in(Pen::new(), wish, call, expected).await;
}

/// The same with a launcher, limits and a grant of the caller's choice.
pub(crate) async fn check_in(pen: Pen, wish: &str, call: Call, expected: Outcome) {
    let neighbour = Neighbour::move_in(&pen).await;
    let mark = Mark::set();

    let limit = if matches!(expected, Outcome::Deadline) { DEADLINE } else { FAR_DEADLINE };
    let begun = Instant::now();
    let driver = pen.start(wish, limit).await;
    let pid = driver.pid();
    let held = Held::watch(pid);
    let process = format!("/proc/{pid}");
    let seen = timeout(limit + KILLED_WITHIN, make(call, driver, begun)).await;
    let seen = seen.expect("every call ends soon after its deadline at the latest");
    check_outcome(&expected, &seen);
    match (expected, &seen.driver) {
        (Outcome::Done | Outcome::Rejected(_) | Outcome::Failed(..), Some(_)) => {
            assert!(Path::new(&process).exists(), "the driver still runs");
        }
        (Outcome::Broken(_), Some(driver)) => {
            let cause = ended(driver).await.cause;
            // One that found its socket closed left by itself.
            assert!(matches!(cause, Cause::Killed | Cause::Exited(0)), "{cause:?}");
        }
        _ => {}
    }
    drop(seen);
    let gone = timeout(GONE_WITHIN, async {
        while Path::new(&process).exists() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    gone.await.expect("no process is left");
    held.check(pen.limits.memory_bytes_max);
    mark.check();
    neighbour.check_unharmed().await;
    pen.launcher.shutdown().await;
}

fn check_outcome(expected: &Outcome, seen: &Seen) {
    let Seen { result, took, .. } = seen;
    let holds = match (expected, result) {
        (Outcome::Done, Ok(last)) => !matches!(last, Some(Fact::Rejection(_))),
        (Outcome::Rejected(words), Ok(Some(Fact::Rejection(rejection)))) => rejection.message.contains(words),
        (Outcome::Failed(reason, words), Err(CallError::Driver { reason: told, message })) => {
            told == reason && message.contains(words)
        }
        (Outcome::Broken(words), Err(CallError::Broken(broken))) => broken.what.contains(words),
        (Outcome::Ended(cause), Err(CallError::Ended(ending))) => ending.cause == *cause,
        (Outcome::Deadline, Err(CallError::Ended(ending))) => ending.cause == Cause::Deadline(DEADLINE),
        (Outcome::Memory, Err(CallError::Ended(ending))) => {
            matches!(ending.cause, Cause::Memory { limit_bytes, reached_bytes }
                if limit_bytes == 512 << 20 && reached_bytes > limit_bytes - (16 << 20))
        }
        _ => false,
    };
    assert!(holds, "expected {expected:?}, found {result:?} after {took:?}");
    let within = match expected {
        Outcome::Deadline => DEADLINE + KILLED_WITHIN,
        // It does all that it was asked for.
        Outcome::Done => FAR_DEADLINE,
        _ => FAILED_WITHIN,
    };
    assert!(*took < within, "{took:?}");
}

async fn ended(driver: &OpenDriver) -> Arc<Ending> {
    timeout(GONE_WITHIN, driver.ended()).await.expect("a driver that broke the contract is killed at once")
}

async fn make(call: Call, driver: Driver, begun: Instant) -> Seen {
    let mut order = open_order("");
    order.parameters.clear();
    if call == Call::Test {
        let result = test(driver, order).await.map(|()| None);
        return Seen { result, took: begun.elapsed(), driver: None };
    }
    let driver = match driver.open(order).await {
        Ok(OpenOutcome::Opened(driver, _)) => driver,
        Ok(OpenOutcome::Rejected(rejection)) => panic!("{rejection:?}"),
        Err(error) => return Seen { result: Err(error), took: begun.elapsed(), driver: None },
    };
    let result = match call {
        Call::Open | Call::Test => Ok(None),
        Call::Execute => execute(&driver).await,
        Call::ExecuteAndWait => execute_and_wait(&driver).await,
        Call::Cancel => cancel(&driver).await,
        Call::Schema => schema(&driver).await.map(|()| None),
        Call::Ddl => ddl(&driver).await.map(|()| None),
    };
    Seen { result, took: begun.elapsed(), driver: Some(driver) }
}

async fn execute(driver: &OpenDriver) -> Result<Option<Fact>, CallError> {
    let mut parts = driver.execute(script("count 1")).await?;
    last_fact(&mut parts).await
}

async fn execute_and_wait(driver: &OpenDriver) -> Result<Option<Fact>, CallError> {
    let mut parts = driver.execute(script("count 1")).await?;
    parts.next().await?;
    driver.ended().await;
    last_fact(&mut parts).await
}

async fn last_fact(parts: &mut Parts) -> Result<Option<Fact>, CallError> {
    let mut last = None;
    while let Some(part) = parts.next().await? {
        last = Some(part.fact);
    }
    Ok(last)
}

async fn cancel(driver: &OpenDriver) -> Result<Option<Fact>, CallError> {
    let _running = driver.execute(script("count 1")).await?;
    driver.cancel().await.map(|_| None)
}

async fn schema(driver: &OpenDriver) -> Result<(), CallError> {
    let order = SchemaOrder::default();
    let mut parts = driver.schema(order).await?;
    while parts.next().await?.is_some() {}
    Ok(())
}

async fn ddl(driver: &OpenDriver) -> Result<(), CallError> {
    let object = ObjectName {
        kind: None,
        schema: String::new(),
        relation: String::new(),
        name: "t".to_owned(),
        arguments: None,
    };
    let mut parts = driver.ddl(DdlOrder { objects: vec![object] }).await?;
    while parts.next().await?.is_some() {}
    Ok(())
}

async fn test(driver: Driver, order: querybox_launcher::OpenOrder) -> Result<(), CallError> {
    let mut stages = driver.test(order).await?;
    while stages.next().await?.is_some() {}
    Ok(())
}
