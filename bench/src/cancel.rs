//! The bench of cancels: from asking to a session that can be used again.

mod floor;
mod hops;
mod psql;

use std::{sync::Arc, time::Duration};

use crate::{
    frame::{Bench, Bound, Contender, Goal, Run, Unit},
    hops::Hops,
};

pub(crate) const ASLEEP_FLOOR: &str = "asleep: own connections";
const ASLEEP_HOPS: &str = "asleep: QueryBox, both hops";
const ASLEEP_PSQL: &str = "asleep: psql";
const STREAM_FLOOR: &str = "streaming: own connections";
const STREAM_HOPS: &str = "streaming: QueryBox, both hops";
const STREAM_PSQL: &str = "streaming: psql, FETCH_COUNT";
const STREAM_PSQL_WHOLE: &str = "streaming: psql";

/// What runs when it is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Asleep,
    /// Much has been read, and much more would follow.
    Streaming,
}

/// From the moment at which it surely runs to the cancel.
const RUNS_FOR: Duration = Duration::from_millis(50);

impl What {
    fn sql(self) -> &'static str {
        match self {
            Self::Asleep => "select pg_sleep(100)",
            // In the list of columns: behind FROM, the server would make all rows before it sends the first.
            Self::Streaming => "select generate_series(1::bigint, 1000000000), repeat('x', 100)",
        }
    }
}

/// Puts the contenders together.
///
/// # Errors
///
/// A program is missing, or no session is leased.
pub async fn bench(hops: &Arc<Hops>, quick: bool) -> anyhow::Result<Bench> {
    let version = hops.ask("show server_version");
    let times = if quick { 2 } else { 10 };
    let mut contenders = Vec::new();
    for (what, names) in [
        (What::Asleep, [ASLEEP_FLOOR, ASLEEP_HOPS, ASLEEP_PSQL]),
        (What::Streaming, [STREAM_FLOOR, STREAM_HOPS, STREAM_PSQL]),
    ] {
        let [floor, ours, psql] = names;
        let contender = |name, told: &str, run: Box<dyn Run>| Contender {
            name,
            what: told.to_owned(),
            unit: Unit::Seconds,
            floor: (name != floor).then_some(floor),
            run,
        };
        contenders.push(contender(
            floor,
            "a cancel request on a connection of its own, the rest of the answer, and `select 1`, on blocking sockets",
            floor::run(hops, what, times)?,
        ));
        contenders.push(contender(
            ours,
            "CancelSession by a client of a Core in another process, the receipt CONFIRMED, the end of the stream, and \
             `select 1` in the same leased session",
            hops::run(hops, what, times).await?,
        ));
        if quick {
            // psql takes a signal for a cancel only while it waits for the server: too much is left to chance where that
            // would be a failure.
            continue;
        }
        contenders.push(contender(
            psql,
            "SIGINT to psql (FETCH_COUNT=10000, its rows go to /dev/null), and the answer to `select 1` that it reads next",
            psql::run(hops, what, psql::Fetch::Pieces, times)?,
        ));
        if what == What::Streaming {
            contenders.push(contender(
                STREAM_PSQL_WHOLE,
                "SIGINT to psql, which keeps all rows in memory before it shows any, and the answer to `select 1`",
                psql::run(hops, what, psql::Fetch::Whole, times)?,
            ));
        }
    }
    let goals = vec![
        Goal { of: ASLEEP_HOPS, bound: Bound::RatioAtMost { to: ASLEEP_FLOOR, times: 1.8 } },
        Goal { of: STREAM_HOPS, bound: Bound::RatioAtMost { to: STREAM_FLOOR, times: 3.0 } },
    ];
    let title = format!(
        "from a cancel to a session that is usable again, PostgreSQL {version}, loopback, SCRAM, fsync off; asleep: \
         pg_sleep, streaming: a result without end"
    );
    Ok(Bench { name: "cancel", title, contenders, goals })
}
