//! Which benches there are, and how each is put together and run.

use std::{fmt::Write as _, fs, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::ValueEnum;

use crate::{
    Hops, Programs, Site, cancel, catalog, export, first_row,
    frame::{self, Bench, Plan},
    machine::Machine,
    memory,
    peers::Peers,
    report::Report,
    results, session, stream,
};

/// A bench by its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchName {
    /// `select 1` by every road.
    Session,
    /// The first rows of a large table.
    FirstRow,
    /// From a cancel to a session that can be used again.
    Cancel,
    /// Whole tables.
    Stream,
    /// A whole table into a file.
    Export,
    /// What each process holds while results of all sizes pass.
    Memory,
    /// Thousands of tables and what belongs to them.
    Catalog,
    /// Rows that are kept, looked at and viewed.
    Results,
}

/// Rounds that count, and of `--quick`.
const ROUNDS: usize = 20;
const ROUNDS_LONG: usize = 7;
const ROUNDS_QUICK: usize = 3;
/// Beside this program: what others are to sort is large.
const PARQUET: &str = "querybox-bench.parquet";

impl BenchName {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// How large its largest table is when nobody says anything else: its goals are for this size.
    fn size(self) -> u64 {
        match self {
            Self::Catalog => 5_000,
            _ => 10_000_000,
        }
    }

    fn size_quick(self) -> u64 {
        match self {
            Self::Catalog => 100,
            _ => 100_000,
        }
    }

    /// Rounds that count when nobody says how many. In a run of all benches they are fewer, so that it ends in a quarter of an
    /// hour.
    fn rounds(self, quick: bool, is_among_all: bool) -> usize {
        match (self, is_among_all) {
            // A minute and more each, with a thousand windows in it.
            (Self::Results, _) => 1,
            _ if quick => ROUNDS_QUICK,
            (Self::Stream | Self::Export | Self::Catalog, false) => ROUNDS_LONG,
            (Self::Session | Self::FirstRow | Self::Cancel, false) => ROUNDS,
            (Self::Session | Self::FirstRow | Self::Cancel, true) => ROUNDS / 2,
            (Self::Stream | Self::Export | Self::Catalog, true) | (Self::Memory, _) => 5,
        }
    }
}

/// What is asked of a suite.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// A few samples of small tables, to see that all works.
    pub quick: bool,
    /// Rounds that count; `None`: as many as each bench needs.
    pub rounds: Option<usize>,
    /// Rows of the largest table; of the catalog it is the number of tables. `None`: those of the goals.
    pub rows: Option<u64>,
    /// Whether all benches are run, so that each has to be short.
    pub is_all: bool,
    /// Brings the order of turns back.
    pub seed: u64,
}

/// What benches are made of. The server and Core that most of them share are started once.
pub struct Suite {
    programs: Programs,
    /// The program that can be floors, Cores and clients.
    own: PathBuf,
    wish: Wish,
    peers: Option<Peers>,
    hops: Option<Arc<Hops>>,
}

impl Suite {
    #[must_use]
    pub fn new(programs: Programs, own: PathBuf, wish: Wish, peers: Option<Peers>) -> Self {
        Self { programs, own, wish, peers, hops: None }
    }

    /// Runs one bench.
    ///
    /// # Errors
    ///
    /// The first contender that fails.
    pub async fn run(&mut self, name: BenchName) -> anyhow::Result<Report> {
        let (own, quick) = (self.own.clone(), self.wish.quick);
        let rows = self.rows(name);
        match name {
            BenchName::Session => {
                let site = Arc::new(Site::start(&self.programs).await?);
                let bench = session::bench(&site, &self.programs, &own, quick).await?;
                let report = self.measure(name, bench).await?;
                if let Some(site) = Arc::into_inner(site) {
                    site.close().await;
                }
                Ok(report)
            }
            BenchName::Stream => {
                let bench = stream::bench(&self.hops()?, &own, rows)?;
                self.measure(name, bench).await
            }
            BenchName::FirstRow => {
                let bench = first_row::bench(&self.hops()?, &own, rows, quick).await?;
                self.measure(name, bench).await
            }
            BenchName::Cancel => {
                let bench = cancel::bench(&self.hops()?, quick).await?;
                self.measure(name, bench).await
            }
            BenchName::Export => {
                let bench = export::bench(&self.hops()?, &own, rows)?;
                self.measure(name, bench).await
            }
            BenchName::Memory => {
                let bench = memory::bench(&self.hops()?, &own, rows)?;
                self.measure(name, bench).await
            }
            BenchName::Results => {
                let parquet = self.peers.as_ref().map(|_| self.parquet()).transpose()?;
                let bench = results::bench(&own, rows, parquet.clone())?;
                let report = self.measure(name, bench).await;
                if let Some(parquet) = parquet {
                    fs::remove_file(parquet)?;
                }
                report
            }
            BenchName::Catalog => {
                // A server of its own: its thousands of tables are no business of other benches.
                let hops = Hops::start(&self.programs, &own)?;
                self.measure(name, catalog::bench(&hops, &own, rows, quick).await?).await
            }
        }
    }

    fn rows(&self, name: BenchName) -> u64 {
        let usual = if self.wish.quick { name.size_quick() } else { name.size() };
        self.wish.rows.unwrap_or(usual)
    }

    async fn measure(&self, name: BenchName, mut bench: Bench) -> anyhow::Result<Report> {
        if let (Some(peers), "results") = (&self.peers, bench.name) {
            peers.join_results(&mut bench, &self.own, &self.parquet()?);
        }
        if let (Some(peers), Some(hops)) = (&self.peers, &self.hops) {
            peers.join(&mut bench, hops, &self.own);
        }
        if self.rows(name) != name.size() && !matches!(name, BenchName::Session | BenchName::Cancel) {
            // Nobody promises anything of this size.
            bench.goals.clear();
            bench.title.push_str("; goals are for another size");
        }
        let machine = Machine::look();
        let Wish { quick, rounds, is_all, seed, .. } = self.wish;
        let plan = Plan { rounds: rounds.unwrap_or_else(|| name.rounds(quick, is_all)), quick, seed };
        let outcomes = frame::run(&mut bench, plan).await?;
        Ok(Report::new(&bench, self.command(name), plan, machine, outcomes))
    }

    /// What a reader types to have the same measured.
    fn command(&self, name: BenchName) -> String {
        let Wish { quick, rounds, rows, is_all, .. } = self.wish;
        let mut command =
            format!("cargo xtask bench {}", if is_all { "all".to_owned() } else { name.name() });
        for (word, value) in [("rounds", rounds.map(|rounds| rounds as u64)), ("rows", rows)] {
            if let Some(value) = value {
                write!(command, " --{word} {value}").expect("a string takes all");
            }
        }
        for (word, is_given) in [("quick", quick), ("with-peers", self.peers.is_some())] {
            if is_given {
                write!(command, " --{word}").expect("a string takes all");
            }
        }
        command
    }

    /// Where rows are written for others to sort.
    fn parquet(&self) -> anyhow::Result<PathBuf> {
        let folder = self.own.parent().context("this program lies in no folder")?;
        Ok(folder.join(PARQUET))
    }

    fn hops(&mut self) -> anyhow::Result<Arc<Hops>> {
        let hops = match self.hops.take() {
            Some(hops) => hops,
            None => Hops::start(&self.programs, &self.own)?,
        };
        Ok(Arc::clone(self.hops.insert(hops)))
    }
}
