//! Which sessions there are, as everybody is told who may call.

use std::time::Duration;

use querybox_contracts::{
    core::v1::{self as pb, SessionActivity, SessionFacts, SessionKind},
    plugin::v1::TransactionState,
};
use querybox_core::Limits;

use crate::{
    house::{House, SHOP, limits, ms, within},
    lease::on_shop,
    queries::ENDLESS,
};

/// Time for anything that is to come, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

impl House {
    async fn list_sessions(&self) -> Vec<SessionFacts> {
        self.sessions().list_sessions(pb::ListSessionsRequest {}).await.unwrap().into_inner().sessions
    }

    /// Waits until the sessions are so.
    async fn sessions_are(&self, wanted: impl Fn(&[SessionFacts]) -> bool) -> Vec<SessionFacts> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let sessions = self.list_sessions().await;
            if wanted(&sessions) {
                return sessions;
            }
            assert!(tokio::time::Instant::now() < end, "{sessions:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn sessions_are_listed_with_what_they_do() {
    let house = House::with_limits(Limits { sessions_max: 8, leases_max: 8, ..limits() }).await;
    let shop = house.create(house.spec(SHOP)).await.unwrap();
    assert_eq!(house.list_sessions().await, []);

    let page = uuid::Uuid::now_v7().to_string();
    let request =
        pb::OpenSessionRequest { front_end_id: page.clone(), idle_limit: Some(ms(300_000)), ..on_shop() };
    let lease = house.lease_with(request).await.unwrap();
    let [idle]: [_; 1] = house.list_sessions().await.try_into().unwrap();
    assert_eq!((idle.session_id.as_str(), idle.kind()), (lease.id.as_str(), SessionKind::Leased));
    assert_eq!((idle.activity(), idle.transaction_state()), (SessionActivity::Idle, TransactionState::Idle));
    assert_eq!((idle.front_end_id, idle.idle_limit), (page, Some(ms(300_000))));
    assert_eq!((idle.connection_id, idle.driver_type.as_str()), (shop.id.clone(), "sqlite"));
    assert!(idle.remaining.is_none() && idle.since.is_some() && idle.started.is_some());

    lease.execute("begin").await;
    // The answer's end reaches its reader a little before the session is free.
    let [open]: [_; 1] = house
        .sessions_are(|all| all.iter().all(|one| one.activity() == SessionActivity::Idle))
        .await
        .try_into()
        .unwrap();
    assert_eq!(open.transaction_state(), TransactionState::Open);
    let mut running = lease.begin_with(ENDLESS, within(600_000)).await.unwrap();
    running.first_row().await;
    let mut one_shot = house.execute_with(ENDLESS, within(900_000)).await;
    one_shot.first_row().await;
    let [first, second]: [_; 2] = house.list_sessions().await.try_into().unwrap();
    assert_eq!((first.session_id.as_str(), first.activity()), (lease.id.as_str(), SessionActivity::Running));
    let seconds = |facts: &SessionFacts| facts.remaining.unwrap().seconds;
    assert!((1..=600).contains(&seconds(&first)), "{first:?}");
    assert_eq!(
        (second.session_id.as_str(), second.kind()),
        (one_shot.session_id.as_str(), SessionKind::OneRequest)
    );
    assert_eq!(
        (second.activity(), second.connection_id.as_str()),
        (SessionActivity::Running, shop.id.as_str())
    );
    assert_eq!((second.idle_limit, second.transaction_state()), (None, TransactionState::Unspecified));
    assert!((601..=900).contains(&seconds(&second)), "{second:?}");

    // More time is told, and what has all the time that it takes has none left to tell.
    house.extend(&second.session_id, crate::lease::by(1_000_000)).await.unwrap();
    house.extend(&first.session_id, crate::lease::WITHOUT_END).await.unwrap();
    let [first, second]: [_; 2] = house.list_sessions().await.try_into().unwrap();
    assert!(first.remaining.is_none() && seconds(&second) > 900, "{first:?} {second:?}");

    assert_eq!(house.cancel(&second.session_id).await, pb::CancelReceipt::Confirmed);
    assert_eq!(house.cancel(&first.session_id).await, pb::CancelReceipt::Confirmed);
    drop((running, one_shot));
    house.sessions_are(|all| all.len() == 1).await;
    lease.close().await.unwrap();
    house.sessions_are(<[SessionFacts]>::is_empty).await;
}
