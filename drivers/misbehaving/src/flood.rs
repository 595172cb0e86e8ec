//! Saying more than anybody wants to hear, as fast as it is taken, without end.

use std::io::{self, Write as _};

use querybox_plugin::{Error, ExecuteError, Query, Results, pb};

use crate::{
    counting::{done, number, tell},
    wish::wishes,
};

wishes! {
    /// What it says too much of.
    Flood {
        /// Batches of one row each.
        Rows = "flood-rows",
        /// Notices of a kilobyte.
        Notices = "flood-notices",
        /// Progress.
        Progress = "flood-progress",
        /// Facts of one column.
        Facts = "flood-facts",
        /// Statements that nobody wrote.
        Statements = "flood-statements",
        /// 32 MiB on standard error; then it answers as it should.
        Stderr = "flood-stderr",
        /// What steers a terminal, on standard error; then it answers as it should.
        SteerStderr = "steer-stderr",
        /// A failure whose message has a megabyte.
        LongFailure = "long-failure",
    }
}

pub(crate) async fn run(wish: Flood, query: &Query, mut results: Results) -> Result<(), ExecuteError> {
    if wish == Flood::Statements {
        loop {
            results.statement(0..0).done(done("NOTHING")).await?;
        }
    }
    let mut rows = results.statement(0..query.sql.len()).rows(&[number()]).await?;
    tell(&mut rows, 0).await?;
    match wish {
        Flood::Rows => {
            for count in 1.. {
                tell(&mut rows, count).await?;
            }
        }
        Flood::Notices => loop {
            let message = "all is well ".repeat(85);
            rows.notice(pb::Notice { severity: "NOTICE".to_owned(), message, ..pb::Notice::default() })
                .await?;
        },
        Flood::Progress => loop {
            rows.progress(pb::Progress { fraction: Some(0.5), ..pb::Progress::default() }).await?;
        },
        Flood::Facts => loop {
            rows.column_facts(vec![pb::ColumnFact { nullable: Some(true), ..pb::ColumnFact::default() }])
                .await?;
        },
        Flood::Stderr => {
            let line = "x".repeat(1023) + "\n";
            for _ in 0..32 * 1024 {
                write(&line);
            }
            write("the last line\n");
        }
        Flood::SteerStderr => write("\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{202e}the last line\n"),
        Flood::LongFailure => return Err(Error::lost("very ".repeat(200 << 10)).into()),
        // Answered above.
        Flood::Statements => {}
    }
    rows.finish(done("COUNT")).await
}

/// Nobody may read; the flood goes on.
pub(crate) fn write(text: &str) {
    io::stderr().write_all(text.as_bytes()).ok();
}
