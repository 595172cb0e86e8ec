//! What front ends are told of kept results.

use querybox_contracts::core::v1::{self as pb, watch_events_response::Event};
use tokio::time::timeout;

use super::{PATIENCE, ended, forget, numbers, request, run};
use crate::house::House;

const FRONT_END: &str = "5b3e1d0a-7c00-4abc-8def-0123456789ab";

#[tokio::test]
async fn whoever_holds_a_result_is_told_of_its_rows_its_end_and_that_it_is_gone() {
    let house = House::with_shop().await;
    let watch = pb::WatchEventsRequest { front_end_id: FRONT_END.to_owned() };
    let mut events = house.events().watch_events(watch).await.unwrap().into_inner();
    // Of this one it is not told.
    run(&house, "select 1").await;
    let request = pb::RunRequest { front_end_id: FRONT_END.to_owned(), ..request(&numbers(40_000)) };
    let id = request.result_id.clone();
    house.results().run(request).await.unwrap();
    let mut next = async || {
        let event = timeout(PATIENCE, events.message()).await.unwrap().unwrap().unwrap();
        event.event.unwrap()
    };
    let mut rows = 0;
    loop {
        let Event::ResultChanged(changed) = next().await else { panic!("no other event is due") };
        assert_eq!(changed.result_id, id);
        assert!(changed.row_count >= rows, "{changed:?}");
        rows = changed.row_count;
        if changed.state() != pb::ResultState::Running {
            assert_eq!((changed.state(), rows), (pb::ResultState::Done, 40_000));
            break;
        }
    }
    forget(&house, &id).await.unwrap();
    let Event::ResultDropped(dropped) = next().await else { panic!("no other event is due") };
    assert_eq!((dropped.result_id.as_str(), dropped.cause()), (&*id, pb::ResultDropCause::Dropped));
    // Whoever attaches a result is told of it from then on.
    let other = run(&house, "select 2").await.result.unwrap().result_id;
    ended(&house, &other).await;
    let attach = pb::AttachResultRequest {
        result_id: other.clone(),
        front_end_id: FRONT_END.to_owned(),
        ..pb::AttachResultRequest::default()
    };
    house.results().attach_result(attach).await.unwrap();
    forget(&house, &other).await.unwrap();
    let Event::ResultDropped(dropped) = next().await else { panic!("no other event is due") };
    assert_eq!(dropped.result_id, other);
}
