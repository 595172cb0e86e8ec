//! Which benches there are, and how each is put together and run.

use std::{fs, path::PathBuf, sync::Arc};

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
    /// Rounds that count when nobody says how many. In a run of all benches they are fewer, so that it ends in a quarter of an
    /// hour.
    #[must_use]
    pub fn rounds(self, quick: bool, is_among_all: bool) -> usize {
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

/// What benches are made of. The server and Core that most of them share are started once.
pub struct Suite {
    programs: Programs,
    /// The program that can be floors, Cores and clients.
    own: PathBuf,
    quick: bool,
    rows: Option<u64>,
    peers: Option<Peers>,
    hops: Option<Arc<Hops>>,
}

impl Suite {
    /// `rows` is the size of the largest table; of the catalog it is the number of tables.
    #[must_use]
    pub fn new(
        programs: Programs,
        own: PathBuf,
        quick: bool,
        rows: Option<u64>,
        peers: Option<Peers>,
    ) -> Self {
        Self { programs, own, quick, rows, peers, hops: None }
    }

    /// Runs one bench for so many rounds. In a run of all benches what is kept is shorter, so that it ends in time.
    ///
    /// # Errors
    ///
    /// The first contender that fails.
    pub async fn run(
        &mut self,
        name: BenchName,
        rounds: usize,
        is_among_all: bool,
    ) -> anyhow::Result<Report> {
        let (own, quick) = (self.own.clone(), self.quick);
        let rows = self.rows.unwrap_or(if quick { 100_000 } else { 10_000_000 });
        match name {
            BenchName::Session => {
                let site = Arc::new(Site::start(&self.programs).await?);
                let bench = session::bench(&site, &self.programs, &own, quick).await?;
                let report = self.measure(bench, rounds).await?;
                if let Some(site) = Arc::into_inner(site) {
                    site.close().await;
                }
                Ok(report)
            }
            BenchName::Stream => {
                let bench = stream::bench(&self.hops()?, &own, rows)?;
                self.measure(bench, rounds).await
            }
            BenchName::FirstRow => {
                let bench = first_row::bench(&self.hops()?, &own, rows, quick).await?;
                self.measure(bench, rounds).await
            }
            BenchName::Cancel => {
                let bench = cancel::bench(&self.hops()?, quick).await?;
                self.measure(bench, rounds).await
            }
            BenchName::Export => {
                let bench = export::bench(&self.hops()?, &own, rows)?;
                self.measure(bench, rounds).await
            }
            BenchName::Memory => {
                let bench = memory::bench(&self.hops()?, &own, rows);
                self.measure(bench, rounds).await
            }
            BenchName::Results => {
                let parquet = self.peers.as_ref().map(|_| self.parquet()).transpose()?;
                let rows = if is_among_all && self.rows.is_none() { rows / 10 } else { rows };
                let bench = results::bench(&own, rows, parquet.clone())?;
                let report = self.measure(bench, rounds).await;
                if let Some(parquet) = parquet {
                    fs::remove_file(parquet)?;
                }
                report
            }
            BenchName::Catalog => {
                // A server of its own: its thousands of tables are no business of other benches.
                let hops = Hops::start(&self.programs, &own)?;
                let tables = self.rows.unwrap_or(if quick { 100 } else { 5_000 });
                self.measure(catalog::bench(&hops, &own, tables, quick).await?, rounds).await
            }
        }
    }

    async fn measure(&self, mut bench: Bench, rounds: usize) -> anyhow::Result<Report> {
        if let (Some(peers), "results") = (&self.peers, bench.name) {
            peers.join_results(&mut bench, &self.own, &self.parquet()?);
        }
        if let (Some(peers), Some(hops)) = (&self.peers, &self.hops) {
            peers.join(&mut bench, hops, &self.own);
        }
        let machine = Machine::look();
        let plan = Plan { rounds, quick: self.quick };
        let outcomes = frame::run(&mut bench, plan).await?;
        Ok(Report::new(&bench, self.quick, machine, outcomes))
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
