//! The workloads: small, always the same, on one thread, without a clock.

mod decode;
mod fixed;
mod hops;
mod render;

use std::fmt;

use clap::ValueEnum;
use querybox_fixtures::Postgres;
use querybox_results::Format;

/// Rows of every workload: some twenty batches, of which the first ones are small as they are in every result.
pub(crate) const ROWS: u64 = 10_000;
/// A part of the name of the function below, which callgrind looks for.
pub(crate) const COUNTED: &str = "counted_by_callgrind";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    /// The SDK's sink alone: values into Arrow batches.
    Sink,
    /// The PostgreSQL driver without gRPC: messages of a server, decoded, into the sink.
    Driver,
    /// A batch over two gRPC connections, as from driver to Core to client: encoded and decoded twice.
    Hops,
    /// Batches into CSV.
    Csv,
    /// Batches into JSON.
    Json,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sink => "sink",
            Self::Driver => "driver",
            Self::Hops => "hops",
            Self::Csv => "csv",
            Self::Json => "json",
        })
    }
}

/// The server that the driver reads from.
pub(crate) struct Stage(Postgres);

impl Stage {
    pub(crate) fn set_up() -> Self {
        let server = Postgres::start();
        decode::make_table(&server);
        Self(server)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }
}

/// Runs one, and tells the number of its batches.
#[expect(clippy::print_stdout, reason = "the answer")]
pub(crate) fn run(workload: Name, port: u16) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let batches = match workload {
        Name::Sink => fixed::sink(),
        Name::Driver => decode::driver(&runtime, port)?,
        Name::Hops => hops::relay(&runtime)?,
        Name::Csv => render::document(Format::Csv)?,
        Name::Json => render::document(Format::Json)?,
    };
    println!("{batches}");
    Ok(())
}

/// What is in here counts, and nothing else.
#[inline(never)]
fn counted_by_callgrind<T>(work: impl FnOnce() -> T) -> T {
    // Behind the work, so that the call is none that becomes a jump.
    std::hint::black_box(work())
}
