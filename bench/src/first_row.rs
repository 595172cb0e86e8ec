//! The bench of first rows: how long a large result keeps people waiting for its first screens.

use std::{path::Path, process::Command, sync::Arc, time::Instant};

use anyhow::{bail, ensure};
use futures::future::BoxFuture;
use querybox_contracts::core::v1::{ExecuteInSessionResponse, execute_in_session_response::Part};
use querybox_fixtures::Postgres;
use tonic::Streaming;

use crate::{
    frame::{Bench, Bound, Contender, Goal, Run, Sample, Unit},
    hops::{Client, Hops, Read},
    one_query::OneQuery,
    process::Process,
    tables::Table,
};

pub(crate) const FLOOR: &str = "portal with a limit";
const HOPS: &str = "QueryBox, both hops";
const PSQL: &str = "psql, FETCH_COUNT, to head";

/// Rows that count as the first ones.
const ROWS: u16 = 1000;
/// How long they may take.
const SECONDS: f64 = 0.003;

/// Makes the table and puts the contenders together. `rows` is how large it is, `own` the program that can be a Core.
///
/// # Errors
///
/// A program is missing, or no session is leased.
///
/// # Panics
///
/// When the server cannot make the table.
pub async fn bench(hops: &Arc<Hops>, own: &Path, rows: u64, quick: bool) -> anyhow::Result<Bench> {
    let version = hops.ask("show server_version");
    let table = Table::make_narrow(&hops.server, rows);
    let times = if quick { 3 } else { 10 };
    let client = hops.client().await?;
    let lease = client.lease().await?;
    let contenders = vec![
        Contender {
            name: FLOOR,
            what: format!(
                "an open connection: Parse, Bind in binary, Execute with a limit of {ROWS}, to the last of those rows, on a \
                 blocking socket"
            ),
            unit: Unit::Seconds,
            floor: None,
            run: Box::new(Portal { connection: OneQuery::connect(hops.server.port())?, table, times }),
        },
        Contender {
            name: HOPS,
            what: format!(
                "an open session: Execute of the whole query by a client of a Core in another process, to the batch with row \
                 {ROWS}. All other rows would follow; then it is cancelled"
            ),
            unit: Unit::Seconds,
            floor: Some(FLOOR),
            run: Box::new(BothHops { _hops: Arc::clone(hops), client, lease, table, times }),
        },
        psql(hops, own, table, times)?,
    ];
    let goals = vec![Goal { of: HOPS, bound: Bound::MedianAtMost(SECONDS) }];
    let title = format!(
        "the first {ROWS} of {rows} rows of 3 columns, PostgreSQL {version}, loopback, SCRAM, fsync off"
    );
    Ok(Bench { name: "first-row", title, contenders, goals })
}

fn psql(hops: &Hops, own: &Path, table: Table, times: usize) -> anyhow::Result<Contender> {
    let binary = hops.server.programs().join("psql");
    ensure!(binary.is_file(), "{} is missing: install PostgreSQL's client", binary.display());
    let port = hops.server.port().to_string();
    let script = format!(
        "\"$0\" -X -q -A -t -v FETCH_COUNT={ROWS} -h {} -p {port} -U {} -d {} -c '{}' 2>/dev/null | head -n {ROWS} | wc -l",
        Postgres::HOST,
        Postgres::USER,
        Postgres::DATABASE,
        table.query()
    );
    let run = Process {
        own: own.to_owned(),
        program: "/bin/sh".into(),
        arrange: Box::new(move |command: &mut Command| {
            command.env_clear().env("PATH", "/usr/bin:/bin").env("PGPASSWORD", Postgres::PASSWORD);
            command.args(["-c", &script]).arg(&binary);
        }),
        input: "",
        answers: format!("{ROWS}\n"),
        figures: hops.folder().join("figures"),
        times,
    };
    Ok(Contender {
        name: PSQL,
        what: format!("`psql -A -t -v FETCH_COUNT={ROWS} | head -n {ROWS}`, whole processes with log-in"),
        unit: Unit::Seconds,
        floor: Some(FLOOR),
        run: Box::new(run),
    })
}

struct Portal {
    connection: OneQuery,
    table: Table,
    times: usize,
}

impl Run for Portal {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may block here.
        Box::pin(async {
            let mut samples = Vec::with_capacity(self.times);
            for _ in 0..self.times {
                let begun = Instant::now();
                self.connection.first_rows(&self.table.query(), ROWS)?;
                samples.push(Sample::of_time(begun.elapsed()));
                self.connection.close_portal()?;
            }
            Ok(samples)
        })
    }
}

struct BothHops {
    client: Client,
    lease: String,
    table: Table,
    times: usize,
    _hops: Arc<Hops>,
}

impl Run for BothHops {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let mut samples = Vec::with_capacity(self.times);
            for _ in 0..self.times {
                let (sample, stream) = self.measure().await?;
                samples.push(sample);
                self.client.stop(&self.lease, stream).await?;
            }
            Ok(samples)
        })
    }
}

impl BothHops {
    async fn measure(&self) -> anyhow::Result<(Sample, Streaming<ExecuteInSessionResponse>)> {
        let query = self.table.query();
        let begun = Instant::now();
        let mut stream = self.client.begin(&self.lease, &query).await?;
        let mut read = Read::default();
        while let Some(message) = stream.message().await? {
            if let Some(Part::Result(part)) = message.part {
                read.take(part)?;
            }
            if read.rows >= ROWS.into() {
                return Ok((Sample::of_time(begun.elapsed()), stream));
            }
        }
        bail!("{} rows came", read.rows)
    }
}
