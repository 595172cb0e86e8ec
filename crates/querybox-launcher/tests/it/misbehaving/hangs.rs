//! Drivers that do not go on end at their deadline.

use querybox_launcher::{CancelOutcome, Cause, Fact, OpenOutcome, Reason};

use crate::{
    house::{open_order, script},
    misbehaving::{
        pen::Pen,
        trial::{Call, DEADLINE, Outcome},
        trials,
    },
};

trials! {
    Open {
        hang_in_open => Outcome::Deadline,
    }
    Test {
        hang_in_test => Outcome::Deadline,
    }
    Schema {
        hang_in_schema => Outcome::Deadline,
    }
    Execute {
        hang_before_header => Outcome::Deadline,
        hang_between_batches => Outcome::Deadline,
        hang_after_summary => Outcome::Deadline,
        ignore_cancel => Outcome::Deadline,
        drip_rows => Outcome::Deadline,
        spin => Outcome::Deadline,
        stop => Outcome::Deadline,
    }
    Cancel {
        hang_in_cancel => Outcome::Deadline,
        fail_in_cancel => Outcome::Failed(Reason::ConnectionLost, "nobody takes the cancel"),
    }
}

#[tokio::test]
async fn a_cancel_that_is_promised_and_ignored_leaves_the_deadline() {
    let pen = Pen::new();
    let mut order = open_order("");
    order.parameters.clear();
    let opened = pen.start("ignore_cancel", DEADLINE).await.open(order).await.unwrap();
    let OpenOutcome::Opened(driver, _) = opened else { panic!() };
    let mut parts = driver.execute(script("count 1")).await.unwrap();
    assert_eq!(driver.cancel().await.unwrap(), CancelOutcome::Requested);
    // More than were under way.
    for _ in 0..20 {
        let part = parts.next().await.unwrap().unwrap();
        assert!(matches!(part.fact, Fact::Header { .. } | Fact::Batch { .. }), "{part:?}");
    }
    assert_eq!(driver.ended().await.cause, Cause::Deadline(DEADLINE));
}
