//! The ways in which a driver is let go.

use std::{sync::Arc, time::Duration};

use anyhow::{bail, ensure};
use querybox_launcher::{CallError, Cause, Deadline, Ending, Parts};
use tokio::time::{sleep, timeout};

use super::yard::{Yard, open_order, opened, script};
use crate::random::Random;

/// A jail and its driver are up within this on a machine that is idle, and sometimes on one that is not.
const START_TIME: Duration = Duration::from_millis(12);
/// A query of SQLite without an end.
const ENDLESS: &str = "with recursive c(n) as (select 1 union all select n + 1 from c) select n from c";
/// Ends that a driver makes of itself.
const OWN_ENDS: [&str; 5] = ["exit-well", "exit-badly", "abort", "segmentation-fault", "terminate"];

/// One way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Close,
    CloseFile,
    KillUnopened,
    DropStart,
    DropOpening,
    DeadlineOpening,
    KillExecuting,
    KillFile,
    KillStopped,
    DropParts,
    DropDriver,
    CancelAndClose,
    OwnEnd,
    TakeSpare,
    KillSpare,
}

impl Way {
    pub(super) const ALL: [Self; 15] = [
        Self::Close,
        Self::CloseFile,
        Self::KillUnopened,
        Self::DropStart,
        Self::DropOpening,
        Self::DeadlineOpening,
        Self::KillExecuting,
        Self::KillFile,
        Self::KillStopped,
        Self::DropParts,
        Self::DropDriver,
        Self::CancelAndClose,
        Self::OwnEnd,
        Self::TakeSpare,
        Self::KillSpare,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Close => "closed",
            Self::CloseFile => "closed with a file",
            Self::KillUnopened => "killed before it was opened",
            Self::DropStart => "dropped while it started",
            Self::DropOpening => "dropped while it opened",
            Self::DeadlineOpening => "deadline while it opened",
            Self::KillExecuting => "killed in a query",
            Self::KillFile => "killed in a query of a file",
            Self::KillStopped => "killed when it had stopped itself",
            Self::DropParts => "parts dropped, then driver",
            Self::DropDriver => "driver dropped, then parts",
            Self::CancelAndClose => "cancelled and closed",
            Self::OwnEnd => "ended by itself",
            Self::TakeSpare => "warm, closed",
            Self::KillSpare => "warm, killed",
        }
    }

    /// Starts a driver and lets it go.
    ///
    /// # Errors
    ///
    /// It did not go as it should.
    pub(super) async fn go(self, yard: &Yard, random: &mut Random) -> anyhow::Result<()> {
        match self {
            Self::Close => {
                let driver = yard.open().await?;
                read_all(&mut driver.execute(script("count 3")).await?).await?;
                ended(&driver.close().await, Cause::Exited(0))
            }
            Self::CloseFile => {
                let driver = yard.open_file().await?;
                read_all(&mut driver.execute(script("select 1")).await?).await?;
                ended(&driver.close().await, Cause::Exited(0))
            }
            Self::KillUnopened => {
                let driver = yard.start().await?;
                sleep(random.time(START_TIME)).await;
                ended(&driver.kill().await, Cause::Killed)
            }
            Self::DropStart => {
                // Whether it was started by then is the machine's to say.
                let _ = timeout(random.time(START_TIME), yard.launcher.start(yard.counting())).await;
                Ok(())
            }
            Self::DropOpening => {
                let driver = yard.start().await?;
                let opening = driver.open(open_order(&[("wish", "hang-in-open")]));
                ensure!(timeout(random.time(START_TIME), opening).await.is_err(), "it did not hang");
                Ok(())
            }
            Self::DeadlineOpening => {
                let limit = START_TIME + random.time(START_TIME);
                let driver = match yard.launcher.start(&yard.counting_until(Deadline::after(limit))).await {
                    Ok(driver) => driver,
                    // On a busy machine the deadline comes first.
                    Err(querybox_launcher::StartError::Ended(ending)) => {
                        return ended(&ending, Cause::Deadline(limit));
                    }
                    Err(error) => return Err(error.into()),
                };
                match driver.open(open_order(&[("wish", "hang-in-open")])).await {
                    Err(CallError::Ended(ending)) => ended(&ending, Cause::Deadline(limit)),
                    Err(error) => Err(error.into()),
                    Ok(_) => bail!("it did not hang"),
                }
            }
            Self::KillExecuting => {
                let driver = yard.open().await?;
                let mut parts = driver.execute(script("forever")).await?;
                read_some(&mut parts, random).await?;
                ended(&driver.kill().await, Cause::Killed)
            }
            Self::KillFile => {
                let driver = yard.open_file().await?;
                let mut parts = driver.execute(script(ENDLESS)).await?;
                read_some(&mut parts, random).await?;
                ended(&driver.kill().await, Cause::Killed)
            }
            Self::KillStopped => {
                let driver = yard.open().await?;
                let answer = async {
                    let mut parts = driver.execute(script("misbehave stop")).await?;
                    read_all(&mut parts).await
                };
                // It may have stopped itself before anything it wrote was sent.
                let over = timeout(START_TIME + random.time(START_TIME), answer).await;
                ensure!(over.is_err(), "it did not stop");
                ended(&driver.kill().await, Cause::Killed)
            }
            Self::DropParts => {
                let driver = yard.open().await?;
                let mut parts = driver.execute(script("forever")).await?;
                read_some(&mut parts, random).await?;
                drop(parts);
                drop(driver);
                Ok(())
            }
            Self::DropDriver => {
                let driver = yard.open().await?;
                let mut parts = driver.execute(script("forever")).await?;
                read_some(&mut parts, random).await?;
                drop(driver);
                sleep(random.time(START_TIME)).await;
                drop(parts);
                Ok(())
            }
            Self::CancelAndClose => {
                let driver = yard.open().await?;
                let mut parts = driver.execute(script("forever")).await?;
                read_some(&mut parts, random).await?;
                driver.cancel().await?;
                read_all(&mut parts).await?;
                drop(parts);
                ended(&driver.close().await, Cause::Exited(0))
            }
            Self::OwnEnd => {
                let driver = yard.open().await?;
                let wish = OWN_ENDS[random.below(OWN_ENDS.len())];
                let answer = async {
                    let mut parts = driver.execute(script(&format!("misbehave {wish}"))).await?;
                    read_all(&mut parts).await
                };
                // Whether it ends before the call is answered or after is the machine's to say.
                ensure!(answer.await.is_err(), "it did not end ({wish})");
                let ending = driver.ended().await;
                ensure!(!matches!(ending.cause, Cause::Killed), "it was killed ({wish})");
                Ok(())
            }
            Self::TakeSpare => {
                let driver = opened(yard.start_warm().await?.open(open_order(&[])).await?)?;
                read_all(&mut driver.execute(script("count 3")).await?).await?;
                ended(&driver.close().await, Cause::Exited(0))
            }
            Self::KillSpare => {
                let driver = yard.start_warm().await?;
                sleep(random.time(START_TIME)).await;
                ended(&driver.kill().await, Cause::Killed)
            }
        }
    }
}

async fn read_all(parts: &mut Parts) -> anyhow::Result<()> {
    while parts.next().await?.is_some() {}
    Ok(())
}

/// Reads one to four parts.
async fn read_some(parts: &mut Parts, random: &mut Random) -> anyhow::Result<()> {
    for _ in 0..=random.below(4) {
        ensure!(parts.next().await?.is_some(), "what has no end ended");
    }
    Ok(())
}

fn ended(ending: &Arc<Ending>, cause: Cause) -> anyhow::Result<()> {
    ensure!(ending.cause == cause, "expected that {cause}, but {ending}");
    Ok(())
}
