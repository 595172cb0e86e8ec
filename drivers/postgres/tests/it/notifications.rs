//! LISTEN and NOTIFY.

use std::time::Duration;

use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, watch_session_response::Event},
    testkit::Client,
};
use tonic::Streaming;

use crate::server::{ends, open};

const PATIENCE: Duration = Duration::from_secs(60);

async fn watch(client: &Client) -> Streaming<pb::WatchSessionResponse> {
    let request = pb::WatchSessionRequest { session_id: client.session_id.clone() };
    client.grpc.clone().watch_session(request).await.unwrap().into_inner()
}

async fn next(events: &mut Streaming<pb::WatchSessionResponse>) -> pb::Notification {
    let event = tokio::time::timeout(PATIENCE, events.message()).await.expect("it comes").unwrap();
    let Some(Event::Notification(notification)) = event.expect("the watch goes on").event else {
        panic!("an event is something")
    };
    notification
}

#[tokio::test]
async fn notifications_come_in_their_order_while_something_runs_and_while_nothing_does() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let mut events = watch(&client).await;
    client.execute("listen \"My channel\"").await.unwrap();

    server.psql("notify \"My channel\", 'idle'");
    let idle = next(&mut events).await;
    assert_eq!((idle.channel.as_str(), idle.payload.as_str()), ("My channel", "idle"));
    assert!(idle.sender_pid > 0);
    assert_eq!(idle.lost_before, 0);

    // Its own come with the statement's end.
    let answer = client.execute("notify \"My channel\"; notify \"My channel\", 'zw\u{f6}lf'").await.unwrap();
    assert_eq!(ends(&answer), ["NOTIFY", "NOTIFY"]);
    assert_eq!(next(&mut events).await.payload, "");
    assert_eq!(next(&mut events).await.payload, "zw\u{f6}lf");

    // Those of others wait for the end of a transaction, and come before what follows.
    client.execute("begin").await.unwrap();
    for number in 0..50 {
        server.psql(&format!("notify \"My channel\", '{number}'"));
    }
    client.execute("commit").await.unwrap();
    for number in 0..50 {
        assert_eq!(next(&mut events).await.payload, number.to_string());
    }

    client.execute("unlisten *").await.unwrap();
    server.psql("notify \"My channel\", 'unheard'");
    client.execute("listen other; notify other, 'last'").await.unwrap();
    assert_eq!(next(&mut events).await.payload, "last");
}

#[tokio::test]
async fn whoever_listens_slowly_is_told_how_much_was_lost() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let mut events = watch(&client).await;
    client.execute("listen c").await.unwrap();
    // Far beyond what is kept, in one transaction of its own.
    let answer = client
        .execute("do $$ begin for i in 1..9000 loop perform pg_notify('c', repeat('x', 900) || i); end loop; end $$")
        .await
        .unwrap();
    assert_eq!(ends(&answer), ["DO"]);
    client.execute("notify c, 'behind'").await.unwrap();
    let (mut heard, mut lost) = (0, 0);
    loop {
        let notification = next(&mut events).await;
        lost += notification.lost_before;
        if notification.payload == "behind" {
            break;
        }
        heard += 1;
    }
    assert_eq!(heard + lost, 9000, "{heard} heard, {lost} lost");
}

#[tokio::test]
async fn a_session_is_watched_once_at_a_time_and_works_unwatched() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    client.execute("listen c; notify c, 'to nobody'").await.unwrap();
    let events = watch(&client).await;
    let request = pb::WatchSessionRequest { session_id: client.session_id.clone() };
    let refused = client.grpc.clone().watch_session(request.clone()).await.unwrap_err();
    assert_eq!(crate::server::reason(&refused), "SESSION_STATE");
    drop(events);
    // The driver hears of it in its own time.
    let mut events = loop {
        match client.grpc.clone().watch_session(request.clone()).await {
            Ok(events) => break events.into_inner(),
            Err(status) => assert_eq!(crate::server::reason(&status), "SESSION_STATE"),
        }
        tokio::task::yield_now().await;
    };
    client.execute("notify c, 'again'").await.unwrap();
    assert_eq!(next(&mut events).await.payload, "again");
}

#[tokio::test]
async fn a_server_that_ends_while_it_is_listened_to_is_told_at_the_next_statement() {
    let mut server = Postgres::start();
    let mut client = open(&server).await;
    let _events = watch(&client).await;
    client.execute("listen c").await.unwrap();
    server.stop();
    let (rejection, status) = crate::server::last_words(&mut client, "select 1").await;
    assert_eq!(rejection.sqlstate, "57P01");
    assert_eq!(crate::server::reason(&status), "CONNECTION_LOST");
}
