//! Cancels at each moment.

use std::time::{Duration, Instant};

use querybox_contracts::{core::v1 as pb, plugin::v1::TransactionState};

use super::site::{SLEEP, Site, rows};
use crate::house::without_end;

/// Works for ever: asleep, before a first row, and while rows come.
const ENDLESS: [&str; 3] = [
    SLEEP,
    "select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b",
    "select i, md5(i::text) from (select generate_series(1, 1000000000) i) s",
];

const SOON: Duration = Duration::from_secs(2);

async fn cancel(site: &Site, id: &str) -> (pb::CancelReceipt, Duration) {
    let request = pb::CancelSessionRequest { session_id: id.to_owned() };
    let answer = site.house.sessions().cancel_session(request).await.unwrap().into_inner();
    (answer.receipt(), answer.elapsed.unwrap().try_into().unwrap())
}

#[tokio::test]
async fn a_cancel_is_confirmed_at_each_moment_of_a_request() {
    let site = Site::start().await;
    for sql in ENDLESS {
        // The last is read as far as its first row, and then nobody reads.
        let mut answer = site.execute(sql, without_end()).await;
        if sql == ENDLESS[2] {
            answer.first_row().await;
        } else {
            answer.opened().await;
        }
        site.until_running(1).await;
        let begun = Instant::now();
        let (receipt, elapsed) = cancel(&site, &answer.session_id).await;
        assert_eq!(receipt, pb::CancelReceipt::Confirmed, "{sql}");
        assert!(!elapsed.is_zero() && elapsed <= begun.elapsed() && elapsed < SOON, "{sql}: {elapsed:?}");
        site.until_alone(SOON).await;
        let id = answer.session_id.clone();
        let rest = answer.rest().await;
        assert_eq!(rest.rejections()[0].sqlstate, "57014", "{sql}");
        assert_eq!(rest.end.unwrap().cause(), pb::EndCause::Cancelled);
        assert_eq!(cancel(&site, &id).await.0, pb::CancelReceipt::AlreadyDone);
    }
}

#[tokio::test]
async fn a_cancel_fails_the_transaction_and_leaves_the_session() {
    let site = Site::start().await;
    let lease = site.lease().await;
    lease.execute("create temp table kept as select 42 as answer").await;
    for sql in ENDLESS {
        lease.execute("begin").await;
        let mut running = lease.begin(sql).await.unwrap();
        if sql == ENDLESS[2] {
            running.first_row().await;
        }
        site.until_running(1).await;
        let (receipt, elapsed) = cancel(&site, &lease.id).await;
        assert_eq!(receipt, pb::CancelReceipt::Confirmed, "{sql}");
        assert!(elapsed < SOON, "{sql}: {elapsed:?}");
        let (results, end) = running.rest().await;
        end.unwrap();
        assert_eq!((results.rejections(), results.transaction()), (vec!["57014"], TransactionState::Failed));
        assert_eq!(cancel(&site, &lease.id).await.0, pb::CancelReceipt::AlreadyDone);
        lease.execute("rollback").await;
        assert_eq!(rows(&lease.execute("select answer from kept").await.0), "42\n", "{sql}");
    }
}
