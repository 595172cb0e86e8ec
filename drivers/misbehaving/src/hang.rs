//! Not going on. None of these heeds a cancel.

use std::{convert::Infallible, hint, time::Duration};

use querybox_plugin::{ExecuteError, Query, Results};
use rustix::process::{Signal, getpid, kill_process};
use tokio::time::sleep;

use crate::{
    counting::{done, number, tell},
    wish::wishes,
};

wishes! {
    /// Where it stays.
    Hang {
        /// Before Open answers.
        InOpen = "hang-in-open",
        /// After the first stage of a test.
        InTest = "hang-in-test",
        /// Before the first object.
        InSchema = "hang-in-schema",
        /// Before the first part.
        BeforeHeader = "hang-before-header",
        /// After some batches.
        BetweenBatches = "hang-between-batches",
        /// After the Summary, before the stream ends.
        AfterSummary = "hang-after-summary",
        /// After a batch; and Cancel does not answer.
        InCancel = "hang-in-cancel",
        /// After a batch; and Cancel answers that it cannot.
        FailInCancel = "fail-in-cancel",
        /// It sends a row every hundredth of a second, and a cancel changes nothing.
        IgnoreCancel = "ignore-cancel",
        /// It sends a row a second.
        DripRows = "drip-rows",
        /// Its one thread computes, and takes no call any more.
        Spin = "spin",
        /// It stops itself by SIGSTOP.
        Stop = "stop",
    }
}

/// Never goes on, and can stand for any value.
pub(crate) async fn forever<T>() -> T {
    match std::future::pending::<Infallible>().await {}
}

pub(crate) async fn run(wish: Hang, query: &Query, mut results: Results) -> Result<(), ExecuteError> {
    if wish == Hang::BeforeHeader {
        forever().await
    }
    let mut rows = results.statement(0..query.sql.len()).rows(&[number()]).await?;
    for count in 0..3 {
        tell(&mut rows, count).await?;
    }
    match wish {
        Hang::InOpen
        | Hang::InTest
        | Hang::InSchema
        | Hang::BeforeHeader
        | Hang::BetweenBatches
        | Hang::InCancel
        | Hang::FailInCancel => forever().await,
        Hang::AfterSummary => {
            rows.finish(done("COUNT")).await?;
            forever().await
        }
        Hang::IgnoreCancel | Hang::DripRows => {
            let pause = if wish == Hang::DripRows { 1000 } else { 10 };
            for count in 3.. {
                sleep(Duration::from_millis(pause)).await;
                tell(&mut rows, count).await?;
            }
            Ok(())
        }
        Hang::Spin => loop {
            hint::spin_loop();
        },
        Hang::Stop => {
            kill_process(getpid(), Signal::STOP).ok();
            forever().await
        }
    }
}
