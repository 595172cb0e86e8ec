//! Cancel: hundreds of statements on PostgreSQL, stopped at random moments. Each receipt must be true, and nothing may run on.

mod attempt;
mod kinds;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use querybox_contracts::core::v1::CancelReceipt;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

use self::{attempt::Attempt, kinds::Kind};
use crate::{
    programs::Programs,
    random::Random,
    report::numbers,
    site::Site,
    soak::{Verdict, crowd},
    statistics::Distribution,
};

/// How many, and which.
#[derive(Debug, Clone, Copy)]
pub struct CancelSoak {
    pub cancels: usize,
    /// Brings the same moments back.
    pub seed: u64,
}

/// Statements that run at the same time.
const AT_ONCE: usize = 8;
/// Of a hundred receipts, how many have to be CONFIRMED.
const CONFIRMED_PERCENT_MIN: usize = 90;
/// How long a server may still be busy with what was cancelled.
const QUIET_WITHIN: Duration = Duration::from_secs(2);
/// A machine that needs longer for one attempt is not working.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(120);
/// Failures that are told one by one.
const TOLD_MAX: usize = 10;

/// Runs the soak, with progress on standard error.
///
/// # Errors
///
/// It cannot even begin.
pub async fn run(programs: &Programs, soak: CancelSoak) -> anyhow::Result<Verdict> {
    let CancelSoak { cancels, seed } = soak;
    let site = Arc::new(Site::start(programs).await?);
    let mut leases = Vec::with_capacity(AT_ONCE);
    for _ in 0..AT_ONCE {
        leases.push(site.warm.lease().await.context("no lease to begin with")?);
    }
    // What is looked for at the end is found now.
    let there = backends(&site);
    ensure!(there == AT_ONCE.to_string(), "{AT_ONCE} leases have {there} backends");
    // A lease is one attempt's at a time; as many are there as attempts run.
    let spare_leases = Arc::new(Mutex::new(leases.clone()));

    let progress = ProgressBar::new(cancels as u64).with_style(style());
    let begun = Instant::now();
    let cycle = {
        let (site, spare_leases) = (Arc::clone(&site), Arc::clone(&spare_leases));
        move |number: usize| {
            let (site, spare_leases) = (Arc::clone(&site), Arc::clone(&spare_leases));
            async move {
                let mut random = Random::of_cycle(seed, number);
                let kind = Kind::pick(&mut random);
                let outcome = match timeout(ATTEMPT_WITHIN, go(kind, &site, &spare_leases, &mut random)).await
                {
                    Ok(outcome) => outcome,
                    Err(_) => Err(anyhow::anyhow!("not over within {ATTEMPT_WITHIN:?}")),
                };
                (number, kind, outcome)
            }
        }
    };
    let attempts = crowd::run(0..cancels, AT_ONCE, &progress, cycle).await;
    let took = begun.elapsed();
    progress.finish_and_clear();

    let mut tally = Tally::default();
    for (number, kind, outcome) in attempts {
        tally.add(number, kind, outcome);
    }
    for lease in &leases {
        if let Err(error) = site.warm.close_lease(lease).await {
            tally.failures.push(format!("a lease could not be closed at the end: {error:#}"));
        }
    }
    let quiet = until_quiet(&site).await;
    if let Err(left) = &quiet {
        tally.failures.push(format!("{left} backends are left on the server after {QUIET_WITHIN:?}"));
    }
    if tally.confirmed * 100 < cancels * CONFIRMED_PERCENT_MIN {
        tally
            .failures
            .push(format!("{} of {cancels} are CONFIRMED, below {CONFIRMED_PERCENT_MIN} %", tally.confirmed));
    }
    if let Some(site) = Arc::into_inner(site) {
        site.close().await;
    }
    Ok(tally.verdict(cancels, seed, took, quiet))
}

async fn go(
    kind: Kind,
    site: &Site,
    spare_leases: &Mutex<Vec<String>>,
    random: &mut Random,
) -> anyhow::Result<Attempt> {
    if !kind.is_leased() {
        return attempt::one_shot(site, kind, random).await;
    }
    let lease = spare_leases.lock().await.pop().context("there is a lease for each attempt")?;
    let outcome = attempt::leased(site, &lease, kind, random).await;
    spare_leases.lock().await.push(lease);
    outcome
}

/// Waits until the server has no backend of QueryBox. Answers after how long, or with how many are left.
async fn until_quiet(site: &Site) -> Result<Duration, String> {
    let begun = Instant::now();
    loop {
        let left = backends(site);
        if left == "0" {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > QUIET_WITHIN {
            return Err(left);
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// How many backends of QueryBox the server has.
fn backends(site: &Site) -> String {
    site.ask("select count(*) from pg_stat_activity where application_name like 'querybox %'")
}

#[derive(Default)]
struct Tally {
    confirmed: usize,
    already_done: usize,
    killed: usize,
    /// Attempts of each kind, and how many of them were CONFIRMED.
    kinds: BTreeMap<&'static str, (usize, usize)>,
    confirmed_after: Vec<f64>,
    failures: Vec<String>,
}

impl Tally {
    fn add(&mut self, number: usize, kind: Kind, outcome: anyhow::Result<Attempt>) {
        let of_kind = self.kinds.entry(kind.name()).or_default();
        of_kind.0 += 1;
        let mut fail =
            |what: String| self.failures.push(format!("cancel {number} ({}): {what}", kind.name()));
        match outcome {
            Ok(Attempt { receipt: CancelReceipt::Confirmed, elapsed }) => {
                self.confirmed += 1;
                of_kind.1 += 1;
                self.confirmed_after.push(elapsed.as_secs_f64());
            }
            Ok(Attempt { receipt: CancelReceipt::AlreadyDone, .. }) => self.already_done += 1,
            Ok(Attempt { receipt: CancelReceipt::Killed, elapsed }) => {
                self.killed += 1;
                fail(format!("KILLED after {elapsed:?}"));
            }
            Ok(Attempt { receipt: CancelReceipt::Unspecified, .. }) => fail("no receipt".to_owned()),
            Err(error) => fail(format!("{error:#}")),
        }
    }

    fn verdict(
        mut self,
        cancels: usize,
        seed: u64,
        took: Duration,
        quiet: Result<Duration, String>,
    ) -> Verdict {
        let kinds = self.kinds.iter().map(|(name, (all, confirmed))| format!("{name} {confirmed}/{all}"));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        let elapsed = Distribution::of(self.confirmed_after).map_or_else(
            || "nothing was confirmed".to_owned(),
            |shape| {
                let [median, p99, max] = [shape.median, shape.p99, shape.max].map(numbers::seconds);
                format!("confirmed after {median} (median), {p99} (p99), {max} (longest)")
            },
        );
        let left = match quiet {
            Ok(after) => {
                format!("0 backends left, {:.0} ms after the leases were closed", after.as_secs_f64() * 1e3)
            }
            Err(left) => format!("{left} backends left"),
        };
        let wrong = self.failures.len();
        if wrong > TOLD_MAX {
            self.failures.truncate(TOLD_MAX);
            self.failures.push(format!("and {} more", wrong - TOLD_MAX));
        }
        let Self { confirmed, already_done, killed, failures, .. } = self;
        Verdict {
            figures: vec![
                format!(
                    "soak cancel: {cancels} cancels, {AT_ONCE} at once, seed {seed}, {:.1} s",
                    took.as_secs_f64()
                ),
                format!("confirmed by kind: {kinds}"),
                elapsed,
                format!("receipts: {confirmed} CONFIRMED, {already_done} ALREADY_DONE, {killed} KILLED"),
                left,
            ],
            failures,
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("soak cancel [{bar:30}] {pos}/{len} {elapsed} (left: {eta})")
        .expect("the template is well formed")
        .progress_chars("━╸─")
}
