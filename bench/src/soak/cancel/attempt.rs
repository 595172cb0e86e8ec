//! One statement and its cancel.

use std::{future::Future, time::Duration};

use anyhow::{Context as _, bail, ensure};
use querybox_contracts::{
    core::v1::{
        CancelReceipt, CancelSessionRequest, execute_in_session_response::Part as LeasePart,
        execute_response::Part,
    },
    plugin::v1::{self as plugin, execute_response::Part as ResultPart},
};
use tokio::{sync::watch, time::sleep};

use super::kinds::Kind;
use crate::{
    random::Random,
    site::{Site, in_lease, one_shot as request, session_id},
};

/// What a cancel came to.
pub(super) struct Attempt {
    pub(super) receipt: CancelReceipt,
    pub(super) elapsed: Duration,
}

/// SQLSTATE `query_canceled`.
const CANCELED: &str = "57014";

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The last statement was done.
    Done,
    /// The database said that it was cancelled, or Core that what the database had still sent did not fit.
    Cancelled,
}

/// Lets the reader know when to go on, and the canceller when to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Asked,
    Runs,
    Receipt,
}

/// Stops a session of one script.
pub(super) async fn one_shot(site: &Site, kind: Kind, random: &mut Random) -> anyhow::Result<Attempt> {
    let session = session_id();
    let moment = kind.moment(random);
    let (stage, stages) = watch::channel(Stage::Asked);
    let read = async {
        let mut stream = site.warm.queries().execute(request(&session, kind.sql())).await?.into_inner();
        let mut reading = Reading::default();
        let end = loop {
            match stream.message().await {
                Ok(Some(message)) => match message.part {
                    Some(Part::Session(_)) => {
                        stage.send_replace(Stage::Runs);
                        if kind == Kind::Unread {
                            stages.clone().wait_for(|stage| *stage == Stage::Receipt).await?;
                        }
                    }
                    Some(Part::Result(part)) => reading.take(part),
                    Some(Part::Ended(_)) => break reading.end(),
                    None => {}
                },
                Ok(None) => bail!("the stream did not say how it ended"),
                Err(status) => break reading.end_by(&status.to_string()),
            }
        };
        // Whoever waits for a session that never ran waits no longer.
        stage.send_replace(Stage::Receipt);
        end
    };
    let (end, attempt) = both(read, cancel(site, &session, moment, &stage)).await?;
    check(site, &session, kind, &end, &attempt).await?;
    Ok(attempt)
}

/// Stops what a leased session runs, and uses it afterwards.
pub(super) async fn leased(
    site: &Site,
    lease: &str,
    kind: Kind,
    random: &mut Random,
) -> anyhow::Result<Attempt> {
    let moment = kind.moment(random);
    let (stage, _) = watch::channel(Stage::Asked);
    let read = async {
        let mut stream =
            site.warm.sessions().execute_in_session(in_lease(lease, kind.sql())).await?.into_inner();
        stage.send_replace(Stage::Runs);
        let mut reading = Reading::default();
        loop {
            match stream.message().await {
                Ok(Some(message)) => {
                    if let Some(LeasePart::Result(part)) = message.part {
                        reading.take(part);
                    }
                }
                Ok(None) => return reading.end(),
                Err(status) => return reading.end_by(&status.to_string()),
            }
        }
    };
    let (end, attempt) = both(read, cancel(site, lease, moment, &stage)).await?;
    check(site, lease, kind, &end, &attempt).await?;
    if kind == Kind::LeasedTransaction {
        site.warm.run_in(lease, "rollback").await.context("no rollback after the cancel")?;
    }
    site.warm.select_one_in(lease).await.context("the lease is not usable after the cancel")?;
    Ok(attempt)
}

/// Waits for both, also when one fails: the reader's failure says more than that there was nothing to cancel.
async fn both<A, B>(
    first: impl Future<Output = anyhow::Result<A>>,
    second: impl Future<Output = anyhow::Result<B>>,
) -> anyhow::Result<(A, B)> {
    let (first, second) = tokio::join!(first, second);
    Ok((first?, second?))
}

/// Waits until the session runs, then for the moment, then cancels.
async fn cancel(
    site: &Site,
    session: &str,
    moment: Duration,
    stage: &watch::Sender<Stage>,
) -> anyhow::Result<Attempt> {
    stage.subscribe().wait_for(|stage| *stage >= Stage::Runs).await?;
    sleep(moment).await;
    let request = CancelSessionRequest { session_id: session.to_owned() };
    let response = site.warm.sessions().cancel_session(request).await.map(|response| response.into_inner());
    stage.send_replace(Stage::Receipt);
    let response = response.context("no receipt")?;
    let elapsed = response.elapsed.and_then(|elapsed| elapsed.try_into().ok()).unwrap_or_default();
    Ok(Attempt { receipt: response.receipt(), elapsed })
}

/// Holds the receipt against what the stream and the server say.
async fn check(site: &Site, session: &str, kind: Kind, end: &End, attempt: &Attempt) -> anyhow::Result<()> {
    match attempt.receipt {
        CancelReceipt::Confirmed => {
            ensure!(*end == End::Cancelled, "CONFIRMED, but the stream ended {end:?}")
        }
        CancelReceipt::AlreadyDone => {
            ensure!(*end == End::Done, "ALREADY_DONE, but the stream ended {end:?}");
            ensure!(kind.is_short(), "ALREADY_DONE, but it has no end of its own");
            let active = site.ask(&format!(
                "select count(*) from pg_stat_activity where application_name = 'querybox {session}' and state = 'active'"
            ));
            ensure!(active == "0", "ALREADY_DONE, but the server works on");
        }
        // Told by the caller.
        CancelReceipt::Killed | CancelReceipt::Unspecified => {}
    }
    Ok(())
}

/// What came so far of a script's last statement.
#[derive(Default)]
struct Reading {
    last: Option<Result<(), plugin::Rejection>>,
}

impl Reading {
    fn take(&mut self, part: plugin::ExecuteResponse) {
        match part.part {
            Some(ResultPart::Header(_)) => self.last = None,
            Some(ResultPart::Summary(_)) => self.last = Some(Ok(())),
            Some(ResultPart::Rejection(rejection)) => self.last = Some(Err(rejection)),
            Some(
                ResultPart::Batch(_)
                | ResultPart::Notice(_)
                | ResultPart::Progress(_)
                | ResultPart::ColumnFacts(_)
                | ResultPart::CopyIn(_),
            )
            | None => {}
        }
    }

    fn end(self) -> anyhow::Result<End> {
        match self.last {
            Some(Ok(())) => Ok(End::Done),
            Some(Err(rejection)) if rejection.sqlstate == CANCELED => Ok(End::Cancelled),
            Some(Err(rejection)) => bail!("rejected: {} ({})", rejection.message, rejection.sqlstate),
            None => bail!("the stream ended within a statement"),
        }
    }

    /// Ended by a status: parts that did not fit after a cancel are told so.
    fn end_by(self, status: &str) -> anyhow::Result<End> {
        ensure!(status.contains("CANCELLED") || status.contains("cancelled"), "the stream broke: {status}");
        Ok(End::Cancelled)
    }
}
