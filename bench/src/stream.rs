//! The bench of whole tables: from the server into a client, by every road.

mod checked;
mod hops;
mod programs;

use std::{path::Path, sync::Arc};

use crate::{
    frame::{Bench, Bound, Goal},
    hops::Hops,
    own_program::OwnProgram,
    own_server::OwnServer,
    tables::Table,
};

/// What the contenders of one table are called.
#[derive(Debug, Clone, Copy)]
struct Names {
    floor: &'static str,
    driver: &'static str,
    hops: &'static str,
    query: &'static str,
    parallel: &'static str,
    served: &'static str,
    copy: &'static str,
    fetch: &'static str,
}

const MIXED: Names = Names {
    floor: "mixed: raw COPY binary",
    driver: "mixed: driver alone",
    hops: "mixed: QueryBox, both hops",
    query: "mixed: querybox query, Arrow",
    parallel: "mixed: the same, --parallel 2",
    served: "mixed: the same, --server",
    copy: "mixed: psql \\copy, CSV",
    fetch: "mixed: psql, FETCH_COUNT",
};

const NARROW: Names = Names {
    floor: "narrow: raw COPY binary",
    driver: "narrow: driver alone",
    hops: "narrow: QueryBox, both hops",
    query: "narrow: querybox query, Arrow",
    parallel: "narrow: the same, --parallel 2",
    served: "narrow: the same, --server",
    copy: "narrow: psql \\copy, CSV",
    fetch: "narrow: psql, FETCH_COUNT",
};

/// `querybox`, with Core in its own process and as a client of a server.
struct Ours {
    alone: OwnProgram,
    /// Its home is the server's.
    served: OwnProgram,
    server: Arc<OwnServer>,
}

/// The floors, each with its table.
pub(crate) const FLOORS: [(&str, &str); 2] = [(MIXED.floor, "mixed"), (NARROW.floor, "narrow")];

/// Core and driver together, at any number of rows.
const MEMORY_BYTES: u64 = 60_000_000;

/// Makes the tables and puts the contenders together. `narrow_rows` is how large they are: a tenth of it is the other's.
/// `own` is the program that can be a floor, a Core and a client.
///
/// # Errors
///
/// A program is missing.
///
/// # Panics
///
/// When the server cannot make the tables.
pub fn bench(hops: &Arc<Hops>, own: &Path, narrow_rows: u64) -> anyhow::Result<Bench> {
    let version = hops.ask("show server_version");
    let tables = [
        (MIXED, Table::make_mixed(&hops.server, narrow_rows)),
        (NARROW, Table::make_narrow(&hops.server, narrow_rows)),
    ];
    let ours = OwnProgram::settle(hops.folder(), "home", hops.server.port())?;
    let served = OwnProgram::settle(hops.folder(), "served", hops.server.port())?;
    let ours = Ours { server: Arc::new(OwnServer::start(&served)?), alone: ours, served };
    let mut contenders = Vec::new();
    for (names, table) in tables {
        contenders.extend(programs::contenders(hops, own, &ours, names, table)?);
        contenders.push(hops::contender(hops, own, names, table));
    }
    let goals = vec![
        Goal { of: MIXED.hops, bound: Bound::RatioAtMost { to: MIXED.floor, times: 1.03 } },
        Goal { of: NARROW.hops, bound: Bound::RatioAtMost { to: NARROW.floor, times: 0.93 } },
        // DuckDB's way for an export, with as many connections.
        Goal { of: MIXED.parallel, bound: Bound::RatioAtMost { to: MIXED.floor, times: 0.82 } },
        Goal { of: NARROW.parallel, bound: Bound::RatioAtMost { to: NARROW.floor, times: 0.80 } },
        Goal { of: MIXED.hops, bound: Bound::CpuAtMost(0.8) },
        Goal { of: MIXED.hops, bound: Bound::MemoryAtMost(MEMORY_BYTES) },
        Goal { of: NARROW.hops, bound: Bound::MemoryAtMost(MEMORY_BYTES) },
    ];
    let [mixed, narrow] = tables.map(|(_, table)| table.rows);
    let title = format!(
        "whole tables of PostgreSQL {version}, loopback, SCRAM, fsync off; mixed: {mixed} rows of 12 columns, narrow: \
         {narrow} of 3"
    );
    Ok(Bench { name: "stream", title, contenders, goals })
}
