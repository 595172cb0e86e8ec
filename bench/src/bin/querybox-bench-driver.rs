//! The PostgreSQL driver as `cargo xtask bench --profile` runs it: it also tells where its time went.

use std::process::ExitCode;

use querybox_bench::profile::{Collector, Profiled};

fn main() -> ExitCode {
    // As in the driver itself: before anything else. An error says that there is one.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    // Nobody else is told of spans in a program that begins.
    let collector = Collector::install().unwrap_or_default();
    querybox_plugin::serve_cli(Profiled(collector))
}
