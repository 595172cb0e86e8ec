//! What front ends are told while nobody asks.

use std::time::{Duration, Instant};

use querybox_contracts::core::v1::{self as pb, EndCause, watch_events_response::Event};
use querybox_core::Limits;
use tonic::{Code, Streaming};

use crate::{
    house::{House, SHOP, check, limits, ms, named},
    lease::on_shop,
};

struct Events(Streaming<pb::WatchEventsResponse>);

impl House {
    async fn watch(&self, front_end_id: &str) -> Events {
        let request = pb::WatchEventsRequest { front_end_id: front_end_id.to_owned() };
        Events(self.events().watch_events(request).await.unwrap().into_inner())
    }
}

impl Events {
    async fn next(&mut self) -> Option<Event> {
        let message = tokio::time::timeout(Duration::from_secs(20), self.0.message());
        message.await.expect("something happens").unwrap().map(|message| message.event.unwrap())
    }

    /// The next event, which is an end.
    async fn ended(&mut self) -> (String, EndCause, bool) {
        match self.next().await {
            Some(Event::LeaseEnded(ended)) => {
                (ended.session_id.clone(), ended.cause(), ended.transaction_lost)
            }
            other => panic!("{other:?}"),
        }
    }
}

fn page() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn by(front_end_id: &str) -> pb::OpenSessionRequest {
    pb::OpenSessionRequest { front_end_id: front_end_id.to_owned(), ..on_shop() }
}

#[tokio::test]
async fn an_unused_session_is_announced_to_end_and_then_ends() {
    let house = House::with_shop().await;
    let page = page();
    let mut events = house.watch(&page).await;
    let begun = Instant::now();
    let request = pb::OpenSessionRequest { idle_limit: Some(ms(2000)), ..by(&page) };
    let lease = house.lease_with(request).await.unwrap();
    lease.execute("begin; create table item (id integer)").await;
    let used = Instant::now();
    let Some(Event::IdleWarning(warning)) = events.next().await else { panic!("a warning comes first") };
    assert_eq!((warning.session_id.as_str(), warning.remaining), (lease.id.as_str(), Some(ms(400))));
    assert!(begun.elapsed() >= Duration::from_millis(1600), "{:?}", begun.elapsed());
    // Whoever is warned and uses it has all its time again.
    lease.execute("select 1").await;
    let Some(Event::IdleWarning(_)) = events.next().await else { panic!("a second warning") };
    assert!(used.elapsed() >= Duration::from_millis(3200), "{:?}", used.elapsed());
    assert_eq!(events.ended().await, (lease.id.clone(), EndCause::Idle, true));
    let message = "the session has ended: it was unused for 2s, and its open transaction is lost";
    lease.check_ended("IDLE", true, message).await;
}

#[tokio::test]
async fn each_front_end_is_told_of_its_own_sessions() {
    let house = House::with_limits(Limits { sessions_max: 8, ..limits() }).await;
    house.create(house.spec(SHOP)).await.unwrap();
    let (page, other) = (page(), page());
    let (mut mine, mut also_mine) = (house.watch(&page).await, house.watch(&page).await);
    let (mut others, mut nameless) = (house.watch(&other).await, house.watch("").await);

    let killed = house.lease_with(by(&page)).await.unwrap();
    killed.execute("begin; create table item (id integer)").await;
    killed.kill_driver();
    for events in [&mut mine, &mut also_mine] {
        assert_eq!(events.ended().await, (killed.id.clone(), EndCause::DriverDied, true));
    }
    let closed = house.lease_with(by(&other)).await.unwrap();
    closed.close().await.unwrap();
    assert_eq!(others.ended().await, (closed.id.clone(), EndCause::Closed, false));
    let last = house.lease().await;

    // One-shot sessions end in their own streams, and Core's end ends these.
    house.execute("select 1").await.rest().await.end.unwrap();
    house.core.shutdown(Duration::ZERO).await;
    assert_eq!(nameless.ended().await, (last.id.clone(), EndCause::ShuttingDown, false));
    for mut events in [mine, also_mine, others, nameless] {
        assert_eq!(events.next().await, None);
    }
    let request = pb::WatchEventsRequest { front_end_id: page };
    let status = house.events().watch_events(request).await.err().unwrap();
    check(&status, Code::Unavailable, "SHUTTING_DOWN", "QueryBox is shutting down");
}

#[tokio::test]
async fn a_front_end_is_named_by_a_uuid() {
    let house = House::with_shop().await;
    let message = "front_end_id is not a UUID in canonical text form";
    let request = pb::WatchEventsRequest { front_end_id: "page 1".to_owned() };
    let status = house.events().watch_events(request).await.err().unwrap();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
    let status = house.lease_with(by("page 1")).await.err().unwrap();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
}

#[tokio::test]
async fn each_front_end_leases_as_many_sessions_as_it_may() {
    let house = House::with_limits(Limits { sessions_max: 5, leases_max: 2, ..limits() }).await;
    house.create(house.spec(SHOP)).await.unwrap();
    let (page, other) = (page(), page());
    let full = "this front end has leased 2 sessions, and may lease no more";
    let mut leases = Vec::new();
    for front_end in [&page, &other] {
        for _ in 0..2 {
            leases.push(house.lease_with(by(front_end)).await.unwrap());
        }
        let status = house.lease_with(by(front_end)).await.err().unwrap();
        check(&status, Code::ResourceExhausted, "LEASES_FULL", full);
    }
    leases.push(house.lease().await);
    // All together are bounded too.
    let status = house.lease_with(on_shop()).await.err().unwrap();
    check(&status, Code::ResourceExhausted, "SESSIONS_FULL", "5 sessions run, and no more may");
}

#[tokio::test]
async fn every_front_end_is_told_what_becomes_of_connections_and_drafts() {
    let house = House::with_shop().await;
    let mut watching = vec![house.watch(&page()).await, house.watch(&page()).await, house.watch("").await];
    let mut told = async |kind: pb::KeptKind, id: &str, removed: bool| {
        for events in &mut watching {
            let expected = pb::KeptChanged { kind: kind.into(), id: id.to_owned(), removed };
            assert_eq!(events.next().await, Some(Event::KeptChanged(expected)));
        }
    };
    let connection = house.create(house.spec("other")).await.unwrap();
    told(pb::KeptKind::Connection, &connection.id, false).await;
    let update = pb::UpdateConnectionRequest {
        id: connection.id.clone(),
        revision: connection.revision,
        spec: Some(house.spec("another")),
    };
    house.connections().update_connection(update).await.unwrap();
    told(pb::KeptKind::Connection, &connection.id, false).await;
    // What came to nothing is no change.
    house.create(house.spec("another")).await.unwrap_err();
    let request = pb::DeleteConnectionRequest { connection: named("another") };
    house.connections().delete_connection(request).await.unwrap();
    told(pb::KeptKind::Connection, &connection.id, true).await;

    let id = page();
    let content = pb::DraftContent {
        kind: pb::DraftKind::Editor.into(),
        text: "select 1".to_owned(),
        ..pb::DraftContent::default()
    };
    let save = pb::SaveDraftRequest { draft_id: id.clone(), content: Some(content), ..Default::default() };
    let saved = house.drafts().save_draft(save.clone()).await.unwrap().into_inner();
    told(pb::KeptKind::Draft, &id, false).await;
    house.drafts().save_draft(save).await.unwrap();
    let Some(pb::save_draft_response::Outcome::Saved(head)) = saved.outcome else { panic!("{saved:?}") };
    let delete = pb::DeleteDraftRequest { draft_id: id.clone(), revision: head.revision };
    house.drafts().delete_draft(delete).await.unwrap();
    told(pb::KeptKind::Draft, &id, true).await;
}
