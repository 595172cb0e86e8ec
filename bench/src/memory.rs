//! The bench of memory: how much each process holds while results of very different sizes pass.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::ensure;
use futures::future::BoxFuture;
use querybox_fixtures::Postgres;

use crate::{
    frame::{Bench, Bound, Contender, Goal, Run, Sample, Unit},
    hops::{Hops, Reading, WholeRead},
    tables::Table,
};

/// Results are this much larger from one to the next; the last is the whole table.
const STEP: u64 = 10;
const SIZES: u32 = 4;
/// What a result ten times as large may add.
const FLAT: f64 = 1.1;

/// Whose memory it is.
#[derive(Debug, Clone, Copy)]
enum Owner {
    Core,
    Driver,
    Client,
}

/// Makes the table and puts the contenders together. `rows` is how large it is, `own` the program that can be a Core and a
/// client.
///
/// # Errors
///
/// A Core does not come up.
///
/// # Panics
///
/// When the server cannot make the table.
pub fn bench(hops: &Arc<Hops>, own: &Path, rows: u64) -> anyhow::Result<Bench> {
    let version = hops.ask("show server_version");
    let table = Table::make_narrow(&hops.server, rows);
    // A read would begin where the last one stopped, and its first rows would be others.
    hops.server.psql(&format!("alter database {} set synchronize_seqscans = off", Postgres::DATABASE));
    let sizes: Vec<u64> = (0..SIZES).rev().map(|steps| (table.rows / STEP.pow(steps)).max(1)).collect();
    let reads: Vec<Arc<SharedRead>> = sizes
        .iter()
        .map(|&rows| {
            let query = format!("{} limit {rows}", table.query());
            // Each size has a Core of its own: what a larger result left in its memory would count for a smaller one.
            let host = hops.another_host(own)?;
            let read = WholeRead::new(hops, host, own, query, rows, rows * (rows + 1) / 2);
            Ok(Arc::new(SharedRead { read, last: Mutex::new(None) }))
        })
        .collect::<anyhow::Result<_>>()?;
    let mut contenders = Vec::new();
    let mut goals = Vec::new();
    for owner in [Owner::Core, Owner::Driver, Owner::Client] {
        // Few and small: they live as long as the program.
        let names: Vec<&'static str> = sizes.iter().map(|&rows| &*owner.name(rows).leak()).collect();
        for (name, read) in names.iter().zip(&reads) {
            contenders.push(Contender {
                name,
                what: owner.what().to_owned(),
                unit: Unit::Bytes,
                floor: (*name != names[0]).then_some(names[0]),
                run: Box::new(Peak { read: Arc::clone(read), owner, seen: 0 }),
            });
        }
        if let [.., smaller, whole] = names[..] {
            goals.push(Goal { of: whole, bound: Bound::RatioAtMost { to: smaller, times: FLAT } });
        }
    }
    let title = format!(
        "memory of each process while rows of 3 columns pass through both hops, PostgreSQL {version}, loopback, SCRAM; the \
         floor is the smallest result"
    );
    Ok(Bench { name: "memory", title, contenders, goals })
}

impl Owner {
    fn name(self, rows: u64) -> String {
        let rows = match rows {
            1_000_000.. if rows.is_multiple_of(1_000_000) => format!("{} M rows", rows / 1_000_000),
            1_000.. if rows.is_multiple_of(1_000) => format!("{} k rows", rows / 1_000),
            _ => format!("{rows} rows"),
        };
        match self {
            Self::Core => format!("QueryBox Core, {rows}"),
            Self::Driver => format!("QueryBox driver, {rows}"),
            Self::Client => format!("client, {rows}"),
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Core => "the most resident memory of a Core that was running, since the read began (VmHWM)",
            Self::Driver => {
                "the most resident memory of the driver, as Core saw it: of a small result, which ends before Core looks \
                 again, too little"
            }
            Self::Client => {
                "the most resident memory of the whole process of a client that adds up what it reads"
            }
        }
    }

    fn of(self, reading: Reading) -> u64 {
        match self {
            Self::Core => reading.core.peak_rss_bytes,
            Self::Driver => reading.driver_peak_bytes,
            Self::Client => reading.client_usage.peak_rss_bytes,
        }
    }
}

/// One read a round, for the three contenders whose memory it takes.
struct SharedRead {
    read: WholeRead,
    /// The newest one, and its number.
    last: Mutex<Option<(u64, Reading)>>,
}

impl SharedRead {
    /// The read behind the one that was `seen`: the first who asks for it makes it.
    fn after(&self, seen: u64) -> anyhow::Result<(u64, Reading)> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((number, reading)) if number > seen => Ok((number, reading)),
            Some(_) | None => Ok(*last.insert((seen + 1, self.read.measure()?))),
        }
    }
}

struct Peak {
    read: Arc<SharedRead>,
    owner: Owner,
    /// The number of the last read of which it told.
    seen: u64,
}

impl Run for Peak {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let (number, reading) = self.read.after(self.seen)?;
            self.seen = number;
            let bytes = self.owner.of(reading);
            ensure!(bytes > 0, "nobody saw how much memory there was of {:?}", self.owner);
            Ok(vec![Sample::of_memory(bytes)])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_named_as_people_say_them() {
        let name = |rows| Owner::Core.name(rows);
        assert_eq!(
            [20, 1_000, 10_000, 1_000_000, 1_500_000].map(name),
            ["20 rows", "1 k rows", "10 k rows", "1 M rows", "1500 k rows"]
                .map(|rows| format!("QueryBox Core, {rows}"))
        );
    }
}
