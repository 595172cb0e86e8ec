//! A server and its crowd: many clients at once do what people do, each with a connection of its own, and look at every row.
//!
//! The server is `querybox serve` as it ships, in a process of its own, on a PostgreSQL of its own.

mod drain;
mod expected;
mod plot;
mod visit;
mod visitor;
mod watch;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use querybox_fixtures::{Folder, Postgres};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use self::{
    visit::Visit,
    visitor::{Noted, Visitor},
    watch::Watch,
};
use crate::{
    own_program::OwnProgram,
    own_server::OwnServer,
    programs::{Programs, owner},
    random::Random,
    soak::Verdict,
};

/// How many, and for how long.
#[derive(Debug, Clone)]
pub struct ServerSoak {
    /// Clients at once.
    pub clients: usize,
    pub time: Duration,
    /// Brings the visits of an earlier run back; not the moments at which they meet.
    pub seed: u64,
    /// Where memory and descriptors are drawn. `None`: nowhere.
    pub drawing: Option<PathBuf>,
}

/// A visit that takes longer does not go on at all: two cores are shared by all.
const VISIT_WITHIN: Duration = Duration::from_secs(180);
/// Failures that are told one by one.
const TOLD_MAX: usize = 10;

/// Runs the soak, with progress on standard error.
///
/// # Errors
///
/// It cannot even begin.
///
/// # Panics
///
/// When PostgreSQL is not installed.
pub async fn run(programs: &Programs, soak: ServerSoak) -> anyhow::Result<Verdict> {
    let postgres = Postgres::start();
    let folder = Folder::make(owner(), 0o755)?;
    programs.install(&["querybox", "querybox-jail", "querybox-driver-postgres"], &folder)?;
    let home = OwnProgram::settle(folder.path(), "home", postgres.port())?;
    let server = OwnServer::start(&home)?;
    let mut verdict = Verdict::default();

    // What is opened by the first visits stays open: spares, the store's files, threads.
    let crowd = Crowd::new(&server, &home, soak.seed);
    for visit in Visit::ALL {
        let visitor = Visitor::connect(&crowd.url, &crowd.authorization).await?;
        visit.go(&visitor, &mut Random::of_cycle(soak.seed, 0)).await?;
    }
    let before = watch::at_rest(server.pid(), None).await?;
    let watch = Watch::begin(server.pid(), Arc::clone(&crowd.visits_done), soak.time);
    let tally = crowd.run(&soak).await;
    let looks = watch.end().await?;
    let after = watch::at_rest(server.pid(), Some(&before)).await?;

    verdict.failures.extend(tally.failures.iter().take(TOLD_MAX).cloned());
    if let Some(more) = tally.failures.len().checked_sub(TOLD_MAX + 1) {
        verdict.failures.push(format!("and {} more visits did not go as they should", more + 1));
    }
    verdict.failures.extend(watch::growth(&looks));
    verdict.failures.extend(before.left_behind(&after));
    if let Some(path) = &soak.drawing {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, plot::render(&looks, &soak))?;
    }
    let seconds = soak.time.as_secs_f64();
    let visits: u64 = tally.counts.values().sum();
    verdict.figures = vec![
        format!(
            "soak server: {} clients at once for {seconds:.0} s, seed {}: {visits} visits ({:.0} a second), {} rows looked at",
            soak.clients,
            soak.seed,
            visits as f64 / seconds,
            tally.rows
        ),
        format!(
            "visits: {}; {} times turned away and come again, {} cancels by a kill",
            tally.told(),
            tally.turned_away,
            tally.killed
        ),
        format!("at rest before: {before}"),
        format!("on the way:     {}", watch::span(&looks)),
        format!("at rest after:  {after}"),
    ];
    drain::check(server, &crowd, &postgres, &mut verdict).await?;
    Ok(verdict)
}

/// All who visit, and where.
struct Crowd {
    url: String,
    authorization: String,
    seed: u64,
    visits_done: Arc<AtomicU64>,
}

/// What visits came to.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, u64>,
    rows: u64,
    turned_away: u64,
    killed: u64,
    failures: Vec<String>,
}

impl Crowd {
    fn new(server: &OwnServer, home: &OwnProgram, seed: u64) -> Self {
        let token = fs::read_to_string(home.token_file()).unwrap_or_default();
        let authorization = format!("Bearer {}", token.trim());
        Self { url: server.url().to_owned(), authorization, seed, visits_done: Arc::default() }
    }

    async fn run(&self, soak: &ServerSoak) -> Tally {
        let end = Instant::now() + soak.time;
        let mut clients = JoinSet::new();
        for number in 0..soak.clients {
            let client = Client {
                url: self.url.clone(),
                authorization: self.authorization.clone(),
                random: Random::of_cycle(self.seed, 1 + number),
                number,
                done: Arc::clone(&self.visits_done),
            };
            clients.spawn(client.run(end));
        }
        let progress = ProgressBar::new(soak.time.as_secs()).with_style(style());
        let mut tally = Tally::default();
        while !clients.is_empty() {
            tokio::select! {
                Some(part) = clients.join_next() => match part {
                    Ok(part) => tally.add(part),
                    Err(error) => tally.failures.push(format!("a client broke: {error}")),
                },
                () = sleep(Duration::from_millis(250)) => {
                    let left = end.saturating_duration_since(Instant::now());
                    progress.set_position(soak.time.saturating_sub(left).as_secs());
                    progress.set_message(format!("{} visits", self.visits_done.load(Ordering::Relaxed)));
                }
            }
        }
        progress.finish_and_clear();
        tally
    }
}

struct Client {
    url: String,
    authorization: String,
    random: Random,
    number: usize,
    done: Arc<AtomicU64>,
}

impl Client {
    /// Visits until the end. Each tenth visit comes by a connection of its own.
    async fn run(mut self, end: Instant) -> Tally {
        let mut tally = Tally::default();
        let mut visitor = None;
        while Instant::now() < end {
            let visit = Visit::ALL[self.random.below(Visit::ALL.len())];
            let visited = timeout(VISIT_WITHIN, self.visit(visit, &mut visitor)).await;
            let outcome =
                visited.unwrap_or_else(|_| Err(anyhow::anyhow!("not over within {VISIT_WITHIN:?}")));
            self.done.fetch_add(1, Ordering::Relaxed);
            *tally.counts.entry(visit.name()).or_default() += 1;
            match outcome {
                Ok(rows) => tally.rows += rows,
                Err(error) => {
                    tally.failures.push(format!("client {}, {}: {error:#}", self.number, visit.name()));
                    tally.note(visitor.take());
                }
            }
            if self.random.below(10) == 0 {
                tally.note(visitor.take());
            }
        }
        tally.note(visitor);
        tally
    }

    async fn visit(&mut self, visit: Visit, visitor: &mut Option<Visitor>) -> anyhow::Result<u64> {
        let visitor = match visitor {
            Some(visitor) => visitor,
            None => visitor.insert(Visitor::connect(&self.url, &self.authorization).await?),
        };
        visit.go(visitor, &mut self.random).await
    }
}

impl Tally {
    fn add(&mut self, part: Self) {
        for (name, count) in part.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.rows += part.rows;
        self.turned_away += part.turned_away;
        self.killed += part.killed;
        self.failures.extend(part.failures);
    }

    fn note(&mut self, visitor: Option<Visitor>) {
        if let Some(visitor) = visitor {
            let Noted { turned_away, killed } = visitor.noted();
            self.turned_away += turned_away.load(Ordering::Relaxed);
            self.killed += killed.load(Ordering::Relaxed);
        }
    }

    fn told(&self) -> String {
        let counts = self.counts.iter().map(|(name, count)| format!("{name} {count}"));
        counts.collect::<Vec<_>>().join(", ")
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("soak server [{bar:30}] {pos}/{len} s {msg}")
        .expect("the template is well formed")
        .progress_chars("━╸─")
}
