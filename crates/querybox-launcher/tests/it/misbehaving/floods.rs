//! Drivers that say too much are held back by the reader, and ended by their deadline.

use std::time::Duration;

use querybox_launcher::{Fact, Reason};

use crate::{
    house::script,
    misbehaving::{
        memory::Mark,
        pen::Pen,
        trial::{Call, Outcome},
        trials,
    },
};

trials! {
    Execute {
        flood_rows => Outcome::Deadline,
        flood_notices => Outcome::Deadline,
        flood_progress => Outcome::Deadline,
        flood_facts => Outcome::Deadline,
        flood_statements => Outcome::Deadline,
        flood_stderr => Outcome::Done,
        steer_stderr => Outcome::Done,
        long_failure => Outcome::Failed(Reason::ConnectionLost, "very very very"),
    }
}

/// The same floods, and a reader that stands still.
pub(super) mod unread {
    use super::*;

    trials! {
        ExecuteAndWait {
            flood_rows => Outcome::Deadline,
            flood_notices => Outcome::Deadline,
            flood_progress => Outcome::Deadline,
            flood_facts => Outcome::Deadline,
            flood_statements => Outcome::Deadline,
        }
    }
}

#[tokio::test]
async fn a_slow_reader_of_many_small_parts_gets_them_all() {
    const STATEMENTS: usize = 20_000;
    let pen = Pen::new();
    let driver = pen.open_good(Duration::from_secs(60)).await;
    let mark = Mark::set();
    let mut parts = driver.execute(script(&"count 0;".repeat(STATEMENTS))).await.unwrap();
    parts.next().await.unwrap();
    // Time to fill every buffer on the way.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut summaries = 0;
    while let Some(part) = parts.next().await.unwrap() {
        summaries += usize::from(matches!(part.fact, Fact::Summary(_)));
    }
    assert_eq!(summaries, STATEMENTS);
    mark.check();
}
