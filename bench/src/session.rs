//! The bench of small queries: what one `select 1` costs, by every road.

mod core;
mod floor;
mod launch;
mod programs;

use std::{path::Path, sync::Arc};

use crate::{
    frame::{Bench, Bound, Contender, Goal},
    programs::Programs,
    site::Site,
};

const FLOOR: &str = "own connect + select 1";
const WHOLE_FLOOR: &str = "own connect, whole process";
const OPEN_FLOOR: &str = "select 1, open connection";
const EXEC_FLOOR: &str = "fork + exec, static";
const PSQL: &str = "psql";
const PSQL_WRAPPER: &str = "psql by Debian's wrapper";
const QUERY: &str = "querybox query, cold";
const SPAWN: &str = "jailed spawn to ready";
const SPARE: &str = "spare taken to ready";
const ONE_SHOT: &str = "one-shot through Core, cold";
const ONE_SHOT_SPARE: &str = "one-shot through Core, spare";
const LEASE: &str = "select 1 on a lease";
const THROUGHPUT: &str = "one-shot, 200 at once";

/// How much a turn measures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    /// Whole processes.
    processes: usize,
    /// Connections, drivers, sessions.
    sessions: usize,
    /// Statements.
    statements: usize,
    /// Sessions that run at once, over and over.
    crowd: usize,
}

impl Turn {
    fn of(quick: bool) -> Self {
        if quick {
            Self { processes: 2, sessions: 3, statements: 20, crowd: 200 }
        } else {
            Self { processes: 5, sessions: 20, statements: 200, crowd: 400 }
        }
    }
}

/// Puts the contenders together. `own` is the program that can be the whole process of the floor (with the argument
/// `one-query` and a port).
///
/// # Errors
///
/// A program is missing.
pub async fn bench(site: &Arc<Site>, programs: &Programs, own: &Path, quick: bool) -> anyhow::Result<Bench> {
    let turn = Turn::of(quick);
    let version = site.ask("show server_version");
    let mut contenders: Vec<Contender> =
        vec![floor::own_connect(site, turn), floor::open_connection(site, turn)?];
    contenders.extend(programs::whole(site, own, turn)?);
    contenders.push(programs::fork_exec(site.folder().path(), own, turn)?);
    contenders.extend(launch::contenders(programs, turn)?);
    contenders.extend(core::one_shots(site, turn));
    contenders.push(core::lease(site, turn).await?);
    contenders.push(core::throughput(site, turn));
    let goals = vec![
        Goal { of: QUERY, bound: Bound::RatioAtMost { to: PSQL, times: 1.0 } },
        Goal { of: ONE_SHOT_SPARE, bound: Bound::RatioAtMost { to: FLOOR, times: 1.3 } },
        Goal { of: ONE_SHOT_SPARE, bound: Bound::TailAtMost(3.0) },
        Goal { of: LEASE, bound: Bound::MedianAtMost(0.001) },
        Goal { of: LEASE, bound: Bound::P99AtMost(0.003) },
        Goal { of: SPAWN, bound: Bound::MedianAtMost(0.005) },
        Goal { of: THROUGHPUT, bound: Bound::RateAtLeast(150.0) },
    ];
    let title = format!("`select 1` on PostgreSQL {version}, loopback, SCRAM, fsync off");
    Ok(Bench { name: "session", title, contenders, goals })
}
